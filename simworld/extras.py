"""Optional packages: where one is missing, one line names the extra of simworld that brings it."""

from collections.abc import Iterator
from contextlib import contextmanager

from simworld.errors import MissingExtraError

EXTRAS = {
    "av": "video",
    "cmaes": "identify",
    "coacd": "assets",
    "collada": "assets",
    "fast_simplification": "assets",
    "h5py": "datasets",
    "jinja2": "report",
    "markupsafe": "report",
    "minari": "datasets",
    "mitsuba": "mitsuba",
    "networkx": "assets",
    "onnxscript": "onnx",
    "panda_gym": "bench",
    "pycocotools": "datasets",
    "ray": "ray",
    "sb3_contrib": "learn",
    "scipy": "assets",
    "stable_baselines3": "learn",
    "tensorboard": "learn",
    "torch": "learn",
    "trimesh": "assets",
}
"""The extra that brings a package, by the name that is imported; making and stepping an environment needs none."""


@contextmanager
def extras() -> Iterator[None]:
    """Import optional packages inside: one that is missing raises MissingExtraError."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MissingExtraError(f"{package} is not installed: pip install 'simworld[{EXTRAS[package]}]'") from None
