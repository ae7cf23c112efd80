"""What is behind everything."""

from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.draws import Draws
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import SEEDS, color, folder, name, whole
from simworld.building.looks import HELD_OUT, TEXTURES
from simworld.building.sources import Sources
from simworld.errors import ConfigurationError
from simworld.scene.image_folder import images_in
from simworld.scene.light import (
    Background,
    GradientBackground,
    PanoramaBackground,
    SolidBackground,
    TextureBackground,
)
from simworld.scene.material import ProceduralTexture

_KINDS = ("solid", "gradient", "texture", "panorama", "images")
_NO_FOLDER = "background.images: must be the folder of equirectangular images that background.kind 'images' shows"


@dataclass(frozen=True)
class Backdrop(Entity):
    """What is behind everything: one colour, a gradient, a pattern, a panorama, or one of a folder of them."""

    kind: ClassVar[str] = "backdrop"
    rank: ClassVar[int] = 6

    def factors(self, setting: Setting) -> Families:
        return {
            "appearance": {
                "background.kind": name("solid", _KINDS, "what is behind everything"),
                "background.color": color(1.0, 1.0, 1.0, "of a solid background; the upper one of a gradient"),
                "background.horizon": color(
                    0.9, 0.93, 0.96, "the middle one of a gradient; the other one of a texture"
                ),
                "background.bottom": color(0.3, 0.28, 0.26, "the lower one of a gradient"),
                "background.texture": name("noise", (*TEXTURES[1:], *HELD_OUT), "pattern of a panorama"),
                "background.seed": whole(0, 0, SEEDS, "which pattern of its family, panorama, or image of the folder"),
                "background.images": folder("of equirectangular images, each as far around as it is wide"),
            }
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draft.background = _background(draft.draw)


def check_folder(sources: Sources) -> None:
    """Raise ConfigurationError where some scene may show an image of a folder, and there is none."""
    asked = {"background.kind": "images", "background.images": ""}
    if all(name in sources.space and value in sources.of(name).support() for name, value in asked.items()):
        raise ConfigurationError(_NO_FOLDER)


def _background(draw: Draws) -> Background:
    kind = draw("background.kind")
    if kind == "panorama":
        return PanoramaBackground(seed=draw("background.seed"))
    if kind == "images":
        where = draw("background.images")
        if not where:
            raise ConfigurationError(_NO_FOLDER)
        images = images_in(where)
        return TextureBackground(texture=images[draw("background.seed") % len(images)])
    color = draw("background.color")
    if kind == "solid":
        return SolidBackground(color=color)
    horizon = draw("background.horizon")
    if kind == "gradient":
        return GradientBackground(top=color, horizon=horizon, bottom=draw("background.bottom"))
    texture = ProceduralTexture(family=draw("background.texture"), color=horizon, seed=draw("background.seed"))
    return TextureBackground(texture=texture, color=color)
