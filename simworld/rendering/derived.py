"""Channels that follow from depth, ids and poses, for every renderer alike: object coordinates and optical flow."""

from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

DERIVED = frozenset({"nocs", "flow", "occlusion"})


def derived(
    channels: Collection[str],
    scene: Scene,
    state: SceneState,
    camera: Camera,
    made: Mapping[str, NDArray[Any]],
    next_state: SceneState | None,
    later: Mapping[str, NDArray[Any]] | None,
) -> dict[str, NDArray[Any]]:
    return {}
