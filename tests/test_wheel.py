"""What a user installs: the wheel holds the linked folders and the assets, and works beside folders named alike."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip")
pytestmark = pytest.mark.slow

PLACE = """
import gymnasium, simworld
env = gymnasium.make("simworld/PlaceInBox-v0")
env.reset(seed=0)
env.step(env.action_space.sample())
env.close()
print(simworld.__file__)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints, run without this checkout on the path."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def checkout() -> list[str]:
    """The files of this checkout, new ones included and ignored ones not."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    return [name for name in listed.split("\0") if name and os.path.lexists(ROOT / name)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the checkout: building in place would leave litter, and could pick up old litter."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in checkout():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", built, source, cwd=built)
    return next(built.glob("simworld-*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel; its dependencies are the ones of this environment."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    run(*PIP, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=home)
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # A path in a .pth file is only searched: the editable install found there, a .pth file too, stays without effect.
    (own / "dependencies.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    return python


def packaged(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module_and_asset(wheel: Path) -> None:
    names = packaged(wheel)
    for name in checkout():
        folder = name.split("/")[0]
        if folder == "simworld" and name.endswith((".py", ".urdf", "py.typed")):
            assert name in names
        if folder in {"envs", "agents", "experiments"} and name.endswith(".py"):
            assert f"simworld/{name}" in names


def test_the_wheel_holds_nothing_beside_simworld(wheel: Path) -> None:
    assert {name.split("/")[0].split("-")[0] for name in packaged(wheel)} == {"simworld"}


def test_an_installed_environment_runs_beside_folders_of_the_same_names(python: Path, tmp_path: Path) -> None:
    for name in ("envs", "agents", "experiments"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('the decoy was imported')")
    file = run(python, "-c", PLACE, cwd=tmp_path).splitlines()[-1]
    assert Path(file).is_relative_to(python.parents[1])
