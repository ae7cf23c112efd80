"""The networks that there are: which heads each has, in the order in which they are read."""

from collections.abc import Callable

from simworld.agents.vision.heads.box_head import BoxHead
from simworld.agents.vision.heads.category_head import CategoryHead
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.keypoint_head import KeypointHead
from simworld.agents.vision.heads.mask_head import MaskHead
from simworld.agents.vision.heads.position_head import PositionHead
from simworld.agents.vision.heads.rotation_head import RotationHead

MODELS: dict[str, tuple[Callable[[Shape], Head], ...]] = {
    "detector": (CategoryHead, BoxHead, MaskHead),
    "keypoints": (CategoryHead, BoxHead, KeypointHead),
    "position": (CategoryHead, BoxHead, PositionHead),
    "pose": (CategoryHead, BoxHead, PositionHead, RotationHead),
    "all": (CategoryHead, BoxHead, MaskHead, KeypointHead, PositionHead, RotationHead),
}
"""By name. The first of each says where things are; a rotation is read along the ray that a position gives."""
