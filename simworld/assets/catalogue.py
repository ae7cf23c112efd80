"""The object catalogue: meshes that ship with pybullet_data, with their real size, centre and resting posture."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from simworld.errors import ConfigurationError
from simworld.geometry import Array, Quaternion, Vec3


@dataclass(frozen=True)
class MeshAsset:
    """A mesh file and the transform to its canonical frame: v -> scale * rotate(v - center).

    The canonical frame has its origin at the centre of mass and z up as the object rests on a table.
    `half_extents` bound the canonical mesh from its origin in metres; `rest_height` is the origin's height on a table.
    Paths are relative to pybullet_data; `collision` is a union of convex pieces.
    """

    visual: str
    collision: str
    scale: float
    center: Vec3
    half_extents: Vec3
    rest_height: float
    orientation: Quaternion


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


@cache
def vertices(path: str) -> Array:
    """The vertices (n, 3) of an OBJ file of pybullet_data."""
    lines = (data_path() / path).read_text(encoding="utf-8").splitlines()
    return np.array([line.split()[1:4] for line in lines if line.startswith("v ")], dtype=float)


# Centres are those of the convex pieces' volume; postures are what each mesh came to rest in when dropped in Bullet.
MESHES: dict[str, MeshAsset] = {
    "duck": MeshAsset(
        visual="duck.obj",
        collision="duck_vhacd.obj",
        scale=0.0385,
        center=(-0.153, 0.6886, 0.041),
        half_extents=(0.0324, 0.0225, 0.0367),
        rest_height=0.0242,
        orientation=(0.70710, 0.00151, 0.00158, 0.70711),
    ),
    "mug": MeshAsset(
        visual="objects/mug.obj",
        collision="objects/mug_col.obj",
        scale=0.415,
        center=(0.0, 0.0013, 0.05),
        half_extents=(0.0302, 0.0172, 0.0208),
        rest_height=0.0218,
        orientation=(0.0, 0.0, 0.5225, 0.85264),
    ),
    "star": MeshAsset(
        visual="random_urdfs/008/008.obj",
        collision="random_urdfs/008/008.obj",
        scale=0.01078,
        center=(-0.0233, -0.0036, 0.0017),
        half_extents=(0.0276, 0.0266, 0.037),
        rest_height=0.0224,
        orientation=(-0.21239, -0.09107, 0.38739, 0.89248),
    ),
    "plug": MeshAsset(
        visual="random_urdfs/013/013.obj",
        collision="random_urdfs/013/013.obj",
        scale=0.00741,
        center=(-0.1707, 0.0368, 0.0177),
        half_extents=(0.0233, 0.0277, 0.0256),
        rest_height=0.0188,
        orientation=(-0.17789, 0.17287, 0.68166, 0.68834),
    ),
    "cross": MeshAsset(
        visual="random_urdfs/028/028.obj",
        collision="random_urdfs/028/028.obj",
        scale=0.00675,
        center=(0.0148, -0.1554, 0.0002),
        half_extents=(0.0311, 0.0291, 0.0211),
        rest_height=0.022,
        orientation=(0.0, 0.0, 0.0, 1.0),
    ),
}
