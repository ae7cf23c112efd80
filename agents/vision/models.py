"""The networks that there are: which heads each has, in the order in which they are read."""

from collections.abc import Callable

from simworld.agents.vision.heads.box_head import BoxHead
from simworld.agents.vision.heads.category_head import CategoryHead
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.keypoint_head import KeypointHead
from simworld.agents.vision.heads.mask_head import MaskHead
from simworld.agents.vision.heads.position_head import PositionHead
from simworld.agents.vision.heads.presence_head import PresenceHead
from simworld.agents.vision.heads.rotation_head import RotationHead

MODELS: dict[str, tuple[Callable[[Shape], Head], ...]] = {
    "detector": (PresenceHead, BoxHead, CategoryHead, MaskHead, PositionHead),
    "keypoints": (PresenceHead, BoxHead, CategoryHead, KeypointHead),
    "position": (PresenceHead, BoxHead, CategoryHead, PositionHead),
    "pose": (PresenceHead, BoxHead, CategoryHead, PositionHead, RotationHead),
    "all": (PresenceHead, BoxHead, CategoryHead, MaskHead, KeypointHead, PositionHead, RotationHead),
}
"""By name. The first says which cells are of things, and the second where those are, at which others look closer; a
rotation is relative to whence a thing is seen, which its position says."""


def told_in_mirrors(model: str) -> bool:
    """Whether all that a model tells is told in a mirror too, where things are turned as none can be."""
    return RotationHead not in MODELS[model]
