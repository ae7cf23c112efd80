"""Nothing that is read from disk can execute code: no module calls what could, but those for what is trusted."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TRUSTED = {
    "agents/reinforcement/baselines.py",  # models of stable-baselines3, where a user asked for it by name
    "simworld/compiled.py",  # numba's own forms, with a digest, from folders that nobody else can change
}

FORBIDDEN = {
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "compile"),
    *(
        (module, name)
        for module in ("pickle", "cloudpickle", "dill", "marshal")
        for name in ("load", "loads", "Unpickler")
    ),
    ("shelve", "open"),
    ("torch", "load"),
    ("PPO", "load"),
    ("SAC", "load"),
    ("algorithm", "load"),
    ("VecNormalize", "load"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
}


def calls(source: str) -> Iterator[str]:
    """What is called that could run what it reads."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if ("builtins", name) in FORBIDDEN:
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if (module, name) in FORBIDDEN:
                yield f"{module}.{name}"
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=value)) if value is not False:
                yield "allow_pickle"
            case ast.Attribute(value=ast.Name(id="yaml"), attr="Loader" | "UnsafeLoader" | "FullLoader" as name):
                yield f"yaml.{name}"
            case ast.ImportFrom(module="pickle" | "marshal" | "cloudpickle" | "shelve" as module):
                yield f"from {module}"


def test_no_module_runs_what_it_reads() -> None:
    files = [path for top in ("simworld", "envs", "agents", "experiments") for path in (ROOT / top).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): list(calls(path.read_text())) for path in files}
    assert len(found) > 100
    assert {path for path, names in found.items() if names} == TRUSTED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(file)",
        "from pickle import loads",
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, yaml.Loader)",
        "eval(text)",
        "PPO.load(path)",
    ],
)
def test_what_could_is_found(source: str) -> None:
    assert len(list(calls(source))) == 1
