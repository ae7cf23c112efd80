"""The Frame a renderer makes, and the interface every renderer has."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from simworld.building.views import DISTORTION
from simworld.errors import ConfigurationError, nearest
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

CHANNELS = {
    "rgb": "(h, w, 3) uint8: the picture, sRGB",
    "depth": "(h, w) float32: z-depth in metres, 0 where there is nothing",
    "segmentation": "(h, w) int32: instance ids as in `Scene.instances`, 0 for background",
    "links": "(h, w) int32: the robot's link, 1 for the base, 0 where there is no robot",
    "normals": "(h, w, 3) float32: unit vectors out of the surface in the camera's frame, 0 where there is nothing",
    "nocs": "(h, w, 3) float32: place on the body or link in its own frame, its bounding box about the origin scaled "
    "to a diagonal of 1 and centred at 0.5; 0 where there is nothing (Wang et al. 2019)",
    "flow": "(h, w, 2) float32: pixels right and down from here to where the same point is in the next state",
    "occluded_next": "(h, w) bool: where that point is not seen in the next state",
    "amodal": "(n, h, w) bool: where each instance would be seen were it alone, in the order of their ids",
}
"""What a frame may hold, each with its shape, type and meaning."""

PIXELS: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "rgb": (np.uint8, (3,)),
    "depth": (np.float32, ()),
    "segmentation": (np.int32, ()),
    "links": (np.int32, ()),
    "normals": (np.float32, (3,)),
    "nocs": (np.float32, (3,)),
    "flow": (np.float32, (2,)),
    "occluded_next": (np.bool_, ()),
    "amodal": (np.bool_, ()),
}
"""Type and shape of what each of CHANNELS holds of a pixel."""

DEFAULT_CHANNELS = ("rgb", "depth", "segmentation")
WANT_NEXT = frozenset({"flow", "occluded_next"})


class Frame:
    """What a camera sees at one instant: those of CHANNELS that were asked for, as attributes."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    segmentation: NDArray[np.int32]
    links: NDArray[np.int32]
    normals: NDArray[np.float32]
    nocs: NDArray[np.float32]
    flow: NDArray[np.float32]
    occluded_next: NDArray[np.bool_]
    amodal: NDArray[np.bool_]

    def __init__(self, **channels: NDArray[Any]) -> None:
        self.__dict__.update(channels)

    @property
    def channels(self) -> dict[str, NDArray[Any]]:
        """What this frame holds, by name."""
        return dict(self.__dict__)

    def __getattr__(self, name: str) -> NoReturn:
        if name in CHANNELS:
            raise ConfigurationError(f"the frame has no {name}: render it with channels=({name!r}, ...)")
        raise AttributeError(f"a frame has no attribute {name!r}")


UNDISTORTED: Mapping[str, tuple[Any, ...]] = {f"camera.*.{term}": (0,) for term in DISTORTION}
"""What is `drawable` where lenses do not distort."""
NO_SCENERY: Mapping[str, tuple[Any, ...]] = {"room.there": (0,), "cloth.there": (0,)}
"""What is `drawable` without scenery."""


class Renderer(Protocol):
    """Makes frames: a pure function of its arguments, whatever was rendered before."""

    channels: Collection[str]
    """What it can make, of CHANNELS."""
    drawable: Mapping[str, tuple[Any, ...]]
    """What factors may be in scenes that it can draw, by address; those that are not named, anything."""
    drawable_with_aperture: Mapping[str, tuple[Any, ...]]
    """The same where the camera has an aperture."""
    longest: float
    """The longer side of an image that it can make, in shorter ones."""

    def render(
        self,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        channels: Collection[str] = DEFAULT_CHANNELS,
        next_state: SceneState | None = None,
    ) -> Frame:
        """Render one frame of the camera's size; what the renderer cannot do raises ConfigurationError."""
        ...

    def close(self) -> None:
        """Give resources back; closing twice is harmless."""
        ...


def check_channels(
    renderer: str, able: Collection[str], asked: Collection[str], next_state: SceneState | None
) -> tuple[str, ...]:
    """The channels; those that do not exist, cannot be made, or lack a next state raise ConfigurationError."""
    asked = asked if isinstance(asked, str) else tuple(asked)
    if isinstance(asked, str) or not asked:
        raise ConfigurationError(f"channels: must be one or more of {list(CHANNELS)}, got {asked!r}")
    for name in asked:
        if name not in CHANNELS:
            raise ConfigurationError(f"channels: no channel {name!r}{nearest(name, CHANNELS)}")
        if name not in able:
            raise ConfigurationError(f"renderer {renderer!r} cannot make {name!r}; 'raster' can")
        if name in WANT_NEXT and next_state is None:
            raise ConfigurationError(f"channel {name!r} needs next_state")
    return asked


def shape_of(channel: str, scene: Scene, camera: Camera) -> tuple[int, ...]:
    """The shape of a channel of the frames of a camera in a scene."""
    size = (camera.height, camera.width, *PIXELS[channel][1])
    return (len(scene.instances), *size) if channel == "amodal" else size


def empty(channels: Iterable[str], scene: Scene, camera: Camera) -> dict[str, NDArray[Any]]:
    """Arrays for the channels of a frame, by name, not yet filled."""
    return {name: np.empty(shape_of(name, scene, camera), dtype=PIXELS[name][0]) for name in channels}


def check_out(
    out: Mapping[str, NDArray[Any]], channels: Collection[str], shots: Sequence[tuple[Scene, Camera]]
) -> None:
    """Raise ConfigurationError where `out` is not one array (n, ...) for each channel that the n shots can be put into.

    That is of the channel's type, contiguous and writable, with all images of one size.
    """
    if set(out) != set(channels):
        raise ConfigurationError(f"out: must have an array for each of {sorted(channels)}, got {sorted(out)}")
    for name, array in out.items():
        shapes = {shape_of(name, scene, camera) for scene, camera in shots}
        if len(shapes) > 1:
            raise ConfigurationError(f"out[{name!r}]: all images must have one shape, got {sorted(shapes)}")
        kind = np.dtype(PIXELS[name][0])
        for shape in shapes:
            if array.shape != (len(shots), *shape) or array.dtype != kind:
                wanted, got = f"{(len(shots), *shape)} {kind.name}", f"{array.shape} {array.dtype.name}"
                raise ConfigurationError(f"out[{name!r}]: must be {wanted}, got {got}")
        if not (array.flags.c_contiguous and array.flags.writeable):
            raise ConfigurationError(f"out[{name!r}]: must be contiguous, row by row, and writable")


def refuse(renderer: str, asked: Mapping[str, bool]) -> None:
    """Raise ConfigurationError if something is asked for, by its name, that a renderer cannot do."""
    for what, wanted in asked.items():
        if wanted:
            raise ConfigurationError(f"renderer {renderer!r} cannot do {what}; 'raster' can")
