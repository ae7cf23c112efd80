"""The object catalogue: meshes that ship with pybullet_data, with their real size, centre and resting posture."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, Quaternion, Vec3, quat_from_euler


@dataclass(frozen=True)
class MeshAsset:
    """A mesh file and the transform to its canonical frame: v -> scale * rotate(v - center).

    The canonical frame has its origin at the centre of mass and z up as the object rests on a table.
    `half_extents` bound the canonical mesh in metres; `rest_height` is the origin's height on a table.
    Paths are relative to pybullet_data; `collision` is a union of convex pieces.
    """

    visual: str
    collision: str
    scale: float
    center: Vec3
    half_extents: Vec3
    rest_height: float
    orientation: Quaternion = IDENTITY


@cache
def data_path() -> Path:
    """The folder of pybullet_data."""
    import pybullet_data

    return Path(pybullet_data.getDataPath())


def mesh(name: str) -> MeshAsset:
    """The catalogue entry called `name`."""
    if name not in MESHES:
        raise ConfigurationError(f"no mesh {name!r} in the catalogue; there are {sorted(MESHES)}")
    return MESHES[name]


_Y_UP = quat_from_euler(1.5707963267948966, 0.0, 0.0)

MESHES: dict[str, MeshAsset] = {
    "duck": MeshAsset("duck.obj", "duck_vhacd.obj", 0.034, (-0.153, 0.689, 0.041), (0.0281, 0.0197, 0.0293), 0.0202, _Y_UP),
}
