"""What compiled loops draw frames from, and keep from frame to frame: handed over once for a camera in a scene."""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.rendering.raster.drawlist import DrawList, Geometry, MaterialTable
from simworld.rendering.textures.bank import Textures
from simworld.scene.camera import Camera
from simworld.scene.lens import FINER, Pinhole, pinhole
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Scene

Float = NDArray[np.float32]
Whole = NDArray[np.int32]
Flags = NDArray[np.bool_]

NOTHING: Whole = np.empty(0, dtype=np.int32)

STRETCH = 32
"""Pixels of a static cache that are renewed together."""
_MOST_CACHED_SAMPLES = 5 << 18
"""Of a view, for which light on fixed parts is kept: 640 x 480 pixels of 2 x 2."""


class DrawnParts(NamedTuple):
    """A draw list: its arrays, the parts that are `moving` (p,), and `all` (p,); `instances` (n,) are those of a scene.

    Parts before `first_part` and triangles before `first_triangle` are fixed. `instance` (p,) is that of a part;
    `segmentation` and `links` show `instance_of[t + 1]` and `link_of[t + 1]` of triangle t, 0 for -1.
    """

    geometry: Geometry
    materials: MaterialTable
    textures: Textures
    local: Annotated[Array, 2]
    carrier: Annotated[NDArray[np.int64], 1]
    fixed: Annotated[Flags, 1]
    moving: Annotated[Flags, 1]
    all: Annotated[Flags, 1]
    first_part: int
    first_triangle: int
    instance: Annotated[Whole, 1]
    instance_of: Annotated[Whole, 1]
    link_of: Annotated[Whole, 1]
    instances: Annotated[NDArray[np.int64], 1]


class Sight(NamedTuple):
    """A pinhole image, as in `Pinhole`, and what is seen of fixed parts there; empty for a camera that moves."""

    width: int
    height: int
    parameters: tuple[float, float, float, float]
    grid: Annotated[Float, 3]
    fixed_ids: Annotated[Whole, 2]
    fixed_inverse_depth: Annotated[Float, 2]


class Eye(NamedTuple):
    """A camera: images of `factor` x `factor` samples a pixel; at the pose `local` (7,) on a link, or in the world.

    `link` is -1 there. Where it is `cacheable` light on fixed parts can be kept. A `pixel` is so wide at 1 m, and
    `coarser` times as wide as those of the pinhole image. `gain` is the exposure, `backdrop` (n, n, 3) behind all.
    `labels` are seen once a pixel, the `picture` `factor` times. What is kept of a camera that stays is right as long
    as the `rows` (r,) of carriers have the poses `fixed` (r, 7).
    """

    width: int
    height: int
    factor: int
    cacheable: int
    near: float
    far: float
    pixel: float
    coarser: int
    gain: float
    link: int
    local: Annotated[Array, 1]
    rows: Annotated[NDArray[np.int64], 1]
    fixed: Annotated[Array, 2]
    backdrop: Annotated[Float, 3]
    labels: Sight
    picture: Sight


class StaticCache(NamedTuple):
    """What light does to the fixed parts of a view but for shadows, by fragment, pixel after pixel.

    `base` (3, n) radiance without lights; `direct` (l, 3, n) what each light adds where nothing is in its way, which
    the four texels at and around `corner` (l, n) of its shadow map say, that are `right` of it, `below` it, and
    compared with `near` (l, n). Pixel p has the fragments from `starts[p]` to the next, which its `samples` (n,) see;
    both are empty where a pixel is one sample. `picture` (3 h w,) is what that looks like where fixed parts alone throw
    shadows. In map m, stretch s of STRETCH pixels looks up what is within `bounds[m]` (4, s): first and last column,
    first and last row; `stale` (s,) are those that see other shadows now.
    """

    base: Annotated[Float, 2]
    direct: Annotated[Float, 3]
    corner: Annotated[Whole, 2]
    right: Annotated[Float, 2]
    below: Annotated[Float, 2]
    near: Annotated[Float, 2]
    starts: Annotated[Whole, 1]
    samples: Annotated[Whole, 1]
    picture: Annotated[NDArray[np.uint8], 1]
    bounds: Annotated[Whole, 3]
    stale: Annotated[Flags, 1]


def static_cache(lights: int, maps: int, pixels: int, fragments: int, starts: Whole = NOTHING) -> StaticCache:
    """A cache to be filled, of pixels that have so many fragments together; `starts` are as in StaticCache."""
    stretches = -(-pixels // STRETCH)
    return StaticCache(
        base=np.zeros((3, fragments), dtype=np.float32),
        direct=np.zeros((lights, 3, fragments), dtype=np.float32),
        corner=np.zeros((lights, fragments), dtype=np.int32),
        right=np.zeros((lights, fragments), dtype=np.float32),
        below=np.zeros((lights, fragments), dtype=np.float32),
        near=np.zeros((lights, fragments), dtype=np.float32),
        starts=starts,
        samples=np.zeros(fragments if starts.size else 0, dtype=np.int32),
        picture=np.empty(3 * pixels, dtype=np.uint8),
        bounds=np.empty((maps, 4, stretches), dtype=np.int32),
        stale=np.empty(stretches, dtype=np.bool_),
    )


def drawing_of(scene: Scene, drawn: DrawList) -> DrawnParts:
    """A draw list of a scene as compiled loops read it."""
    first = int(np.count_nonzero(drawn.fixed))
    return DrawnParts(
        geometry=drawn.geometry,
        materials=drawn.materials,
        textures=drawn.textures,
        local=drawn.local,
        carrier=drawn.carrier,
        fixed=drawn.fixed,
        moving=~drawn.fixed,
        all=np.ones_like(drawn.fixed),
        first_part=first,
        first_triangle=int(drawn.geometry.triangle_starts[first]),
        instance=drawn.instance,
        instance_of=_by_triangle(drawn, drawn.instance),
        link_of=_by_triangle(drawn, drawn.link),
        instances=np.array(list(scene.instances.values()), dtype=np.int64),
    )


def _by_triangle(drawn: DrawList, names: Whole) -> Whole:
    """Names (p,) of parts as those (t + 1,) of their triangles, after 0 for none."""
    return np.concatenate([np.zeros(1, dtype=np.int32), names[drawn.geometry.part_of]])


def eye_of(scene: Scene, drawing: DrawnParts, backdrop: Float, camera: Camera, carriers: Array) -> Eye:
    """The eye of a camera, with room for what it sees of fixed parts, which are where `carriers` (n, 7) are."""
    stays, sharp = camera.parent is None, all(isinstance(k, DirectionalLight) and k.angle == 0 for k in scene.lights)
    rows = np.unique(drawing.carrier[drawing.fixed & stays])
    labels = _sight(pinhole(camera), stays)
    picture = _sight(pinhole(camera, camera.antialias), stays) if camera.antialias > 1 else labels
    few = picture.width * picture.height <= _MOST_CACHED_SAMPLES
    return Eye(
        width=camera.width,
        height=camera.height,
        factor=camera.antialias,
        cacheable=int(sharp and stays and few and picture.grid.size == 0),
        near=camera.near,
        far=camera.far,
        pixel=1 / max(camera.fx, camera.fy),
        coarser=camera.antialias * (FINER if picture.grid.size else 1),
        gain=2.0**camera.exposure,
        link=-1 if camera.parent is None else scene.robot.model.link_index(camera.parent),
        local=np.array([*camera.position, *camera.orientation]),
        rows=rows,
        fixed=carriers[rows],
        backdrop=backdrop,
        labels=labels,
        picture=picture,
    )


def _sight(lens: Pinhole, stays: bool) -> Sight:
    size = (lens.height, lens.width) if stays else (0, 0)
    return Sight(
        width=lens.width,
        height=lens.height,
        parameters=lens.parameters,
        grid=lens.grid,
        fixed_ids=np.empty(size, dtype=np.int32),
        fixed_inverse_depth=np.empty(size, dtype=np.float32),
    )
