"""Imports run one way, simworld <- envs <- agents <- experiments, and the heavy ones stay where they belong."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path, PurePosixPath

import pytest

from simworld.envs.tasks import shipped

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("simworld", "envs", "agents", "experiments")
UPPER = LAYERS[1:]
ROOMS = (
    *("assets", "scene", "language", "distributions", "building", "randomization"),
    *("physics", "rendering", "annotation", "datasets", "engines"),
)
"""Rooms of simworld, from the lowest; below them all are its single files."""
HOMES = {  # who may import what
    "pybullet": ("simworld/physics/", "simworld/rendering/renderers/tiny.py"),
    "pybullet_data": ("simworld/assets/roots.py",),
    "mitsuba": ("simworld/rendering/renderers/mitsuba.py", "simworld/rendering/mitsuba_scene.py"),
    "gymnasium": UPPER,
    "torch": ("agents/",),
    "stable_baselines3": ("agents/",),
    "sb3_contrib": ("agents/",),
}
DOOR = "simworld/__init__.py"
"""Names all that is public, wherever it is, and imports it only when it is asked for; see test_public.py."""


def imported(path: str, source: str) -> Iterator[str]:
    """Full dotted names a file imports, as names: relative ones resolved, literal dynamic ones included."""
    package = ".".join(PurePosixPath(path).parent.parts)
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = resolve_name("." * level + (module or ""), package)
                yield from (f"{base}.{alias.name}" for alias in names)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


def layer_of(module: str) -> int:
    """How high a module of ours stands: simworld.envs.x is in layer 1, simworld.physics in layer 0."""
    second = module.split(".")[1:2]
    return LAYERS.index(second[0]) if second and second[0] in UPPER else 0


def room_of(module: str) -> int:
    """How high the room of a module of simworld's own stands; its single files are below all rooms."""
    room = module.split(".")[1]
    return ROOMS.index(room) if room in ROOMS else -1


def violation(path: str, module: str) -> str | None:
    """The rule broken by importing the module in the file at a path relative to the checkout, if any."""
    top = module.split(".")[0]
    layer = LAYERS.index(path.split("/")[0])
    if path == DOOR:
        return None
    if top in UPPER:
        return f"{path}: import {module} as simworld.{module}"
    if top == "simworld" and layer_of(module) > layer:
        return f"{path}: {LAYERS[layer]} may not import {module}"
    is_own = module.startswith("simworld.") and layer == layer_of(module) == 0 and path != "simworld/__init__.py"
    if is_own and room_of(module) > room_of(path.replace("/", ".")):
        return f"{path}: {path.split('/')[1]} may not import {module}"
    if top in HOMES and not path.startswith(HOMES[top]):
        return f"{path}: {top} may be imported only in {', '.join(HOMES[top])}"
    return None


def violations(path: str, source: str) -> list[str]:
    return [found for module in imported(path, source) if (found := violation(path, module))]


def sources() -> Iterator[Path]:
    """Every module once: rglob enters no links, so the linked folders are met at the top level only."""
    return (path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py")))


def test_every_import_is_allowed() -> None:
    files = list(sources())
    assert {path.relative_to(ROOT).parts[0] for path in files} == set(LAYERS)
    assert [line for path in files for line in violations(path.relative_to(ROOT).as_posix(), path.read_text())] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("simworld/errors.py", "import simworld.envs.registration"),
        ("simworld/scene/model.py", "from ..envs import registration"),
        ("simworld/scene/model.py", "def f():\n    from simworld.experiments.cli.app import main"),
        ("envs/place.py", "import simworld.agents.expert as expert"),
        ("envs/place.py", "importlib.import_module('simworld.experiments')"),
        ("agents/expert.py", "from simworld.experiments import cli"),
        ("agents/expert.py", "from envs.place import PlaceEnv"),
        ("experiments/cli/app.py", "import agents"),
        ("simworld/building/draws.py", "from simworld.randomization.randomization import Randomization"),
        ("simworld/building/draws.py", "if TYPE_CHECKING:\n    from simworld.physics import World"),
        ("simworld/scene/model.py", "from simworld.building import spec"),
        ("simworld/geometry.py", "from simworld.scene.model import Scene"),
        ("simworld/rendering/seen.py", "from simworld.datasets.images import View"),
        ("simworld/scene/model.py", "import pybullet as bullet"),
        ("simworld/rendering/renderers/raster.py", "from pybullet import connect"),
        ("simworld/physics/bodies.py", "import pybullet_data"),
        ("simworld/geometry.py", "from gymnasium import spaces"),
        ("envs/place.py", "import torch.nn"),
        ("experiments/cli/app.py", "from stable_baselines3 import SAC"),
    ],
)
def test_a_forbidden_import_is_found(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("simworld/__init__.py", "from simworld.agents.expert import expert"),
        ("simworld/assets/roots.py", "import pybullet_data"),
        ("simworld/rendering/renderers/tiny.py", "import pybullet as bullet"),
        ("simworld/physics/world.py", "import pybullet"),
        ("simworld/physics/world.py", "from .bodies import add_bodies"),
        ("simworld/rendering/seen.py", "from simworld.building.spec import SceneSpec"),
        ("simworld/randomization/sampling.py", "from simworld.errors import DrawError"),
        ("envs/place.py", "import gymnasium\nfrom simworld.scene.model import Scene"),
        ("agents/learn.py", "import torch\nfrom simworld.envs import registration"),
        ("experiments/cli/app.py", "from simworld import agents, envs, scene"),
    ],
)
def test_an_allowed_import_is_not_found(path: str, source: str) -> None:
    assert violations(path, source) == []


def run_apart(code: str, folder: Path) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_importing_simworld_is_light(tmp_path: Path) -> None:
    heavy = {"pybullet", "torch", "stable_baselines3", "sb3_contrib", "minari", "matplotlib", "numba", "gymnasium"}
    heavy |= {"numpy", "typing"}
    # What this environment itself imports at every start is not ours.
    code = f"import sys; before = set(sys.modules); import simworld; print(*{heavy} & set(sys.modules) - before)"
    assert run_apart(code, tmp_path).split() == []


@pytest.mark.parametrize(
    "imports",
    [
        "gymnasium, simworld",
        "simworld, gymnasium",
        "simworld, gymnasium.spaces",
        "simworld, importlib.util; importlib.util.find_spec('gymnasium'); import gymnasium",
    ],
)
def test_environments_are_registered_whichever_is_imported_first(tmp_path: Path, imports: str) -> None:
    code = f"import {imports}; print(*(name for name in gymnasium.registry if name.startswith('simworld/')))"
    assert sorted(run_apart(code, tmp_path).split()) == sorted(shipped())


def test_states_need_no_renderer(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from simworld.experiments.recipes.learning.policies import evaluate_policy\n"
        "from simworld.experiments.recipes.rollouts import write_rollouts\n"
        "write_rollouts(Path('out'), 'simworld/PlaceInBox-v0', episodes=1)\n"
        "print(evaluate_policy('simworld/Reach-v0', 'expert', episodes=1)['episodes'])\n"
        "print(*(name for name in sys.modules if name.startswith('simworld.rendering.raster')))"
    )
    assert run_apart(code, tmp_path).split() == ["1"]
