"""Environments need no extra; where one is missing, one line names it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import simworld as sw
from simworld.extras import EXTRAS, extras

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BLOCKED = f"import sys\nfor name in {sorted(EXTRAS)}: sys.modules[name] = None\n"


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code where no package of an extra can be imported."""
    return subprocess.run([sys.executable, "-c", BLOCKED + code], cwd=folder, capture_output=True, text=True)


def test_environments_and_pictures_need_no_extra(tmp_path: Path) -> None:
    code = """
import gymnasium, simworld as sw
for env_id in [name for name in gymnasium.registry if name.startswith("simworld/")]:
    env = gymnasium.make(env_id, observation="rgb", image_size=16, render_mode="rgb_array", randomization="full")
    env.reset(seed=1)
    env.step(env.action_space.sample())
    assert env.render().ndim == 3
    env.close()
"""
    result = run(code, tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("import simworld as sw; sw.clone", "learn"),
        ("import simworld as sw; sw.load_policy('x.safetensors', 'reach')", "learn"),
        ("from simworld.datasets.video import write_video\nwrite_video(Path('x.mp4'), [], 25)", "video"),
        ("from simworld.rendering import make_renderer\nmake_renderer('mitsuba')", "mitsuba"),
    ],
)
def test_a_missing_extra_is_named(tmp_path: Path, code: str, extra: str) -> None:
    (tmp_path / "x.safetensors").write_bytes(bytes(8))
    line = run(f"from pathlib import Path\n{code}", tmp_path).stderr.strip().splitlines()[-1]
    assert line.startswith("simworld.errors.MissingExtraError: ") and f"pip install 'simworld[{extra}]'" in line


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["rollout", "simworld/Reach-v0", "--out", "out", "--minari", "a/b-v0"], "datasets"),
        (["train", "simworld/Reach-v0", "--out", "out", "--algorithm", "ppo"], "learn"),
        (["images", "simworld/PlaceInBox-v0", "--out", "out", "--count", "1", "--size", "64x48"], "datasets"),
        (["demo", "--out", "out"], "report"),
    ],
)
def test_a_command_that_lacks_an_extra_says_so_before_anything_starts(
    tmp_path: Path, arguments: list[str], extra: str
) -> None:
    result = run(f"from simworld.experiments.cli.app import app\napp({arguments})", tmp_path)
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ") and f"pip install 'simworld[{extra}]'" in result.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_no_extra_is_python_s_own_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'nowhere'") as error, extras():
        import nowhere  # type: ignore[import-not-found]  # noqa: F401
    assert not isinstance(error.value, sw.MissingExtraError)


def test_every_extra_that_is_named_is_there() -> None:
    assert set(EXTRAS.values()) <= set(PROJECT["optional-dependencies"])
