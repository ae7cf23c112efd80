"""Sensors: what happens to a picture between the lens and whoever gets it, alike for every camera."""

from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

from simworld.building.draft import Draft
from simworld.building.draws import Draws
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import Factor, number, whole
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor

_COLOR = tuple(name for name in ColorSensor.model_fields if name != "white_balance")

_FACTORS: dict[str, Factor] = {
    "sensor.rgb.exposure": number(0.0, -5.0, 5.0, "stops", "brighter by a factor of two each"),
    "sensor.rgb.least": number(0.0, 0.0, 0.5, "", "luminance of a scene below which exposures are longer, of white"),
    "sensor.rgb.gain": number(1.0, 0.1, 10.0, "", "times what is measured, noise included"),
    "sensor.rgb.white_balance.red": number(1.0, 0.25, 4.0, "", "times the red that is measured"),
    "sensor.rgb.white_balance.blue": number(1.0, 0.25, 4.0, "", "times the blue that is measured"),
    "sensor.rgb.shot_noise": number(0.0, 0.0, 0.5, "", "standard deviation at white; grows with the root of the light"),
    "sensor.rgb.read_noise": number(0.0, 0.0, 0.5, "", "standard deviation in the dark, in shares of white"),
    "sensor.rgb.motion_blur": number(0.0, 0.0, 0.1, "", "length of the camera's shake, in image heights"),
    "sensor.rgb.motion_direction": number(0.0, -2 * pi, 2 * pi, "rad", "direction of the shake in the image"),
    "sensor.rgb.defocus": number(0.0, 0.0, 0.05, "", "standard deviation of the blur, in image heights"),
    "sensor.rgb.vignetting": number(0.0, 0.0, 1.0, "", "share of the light that the corners lose"),
    "sensor.rgb.jpeg_quality": whole(0, 0, 100, "of compression; 0 is none"),
    "sensor.rgb.dead_pixels": number(0.0, 0.0, 0.2, "", "share of the pixels that are always black or white"),
    "sensor.depth.noise": number(0.0, 0.0, 10.0, "", "times the noise of a structured light camera"),
    "sensor.depth.holes": number(0.0, 0.0, 0.9, "", "share of the pixels without depth"),
    "sensor.depth.flying": number(0.0, 0.0, 1.0, "", "share of the pixels at edges that lie between front and back"),
    "sensor.depth.quantization": number(0.0, 0.0, 0.1, "m", "step at 1 m; grows with the square of the depth"),
    "sensor.rotation": number(0.0, -pi, pi, "rad", "of the image; labels turn with it"),
    "sensor.crop": number(1.0, 0.2, 1.0, "", "share of width and height that is kept, and enlarged"),
    "sensor.crop.x": number(0.0, -1.0, 1.0, "", "of what is kept: -1 is the left end, 1 the right"),
    "sensor.crop.y": number(0.0, -1.0, 1.0, "", "of what is kept: -1 is the upper end, 1 the lower"),
}


@dataclass(frozen=True)
class Sensors(Entity):
    """The sensors of all cameras."""

    kind: ClassVar[str] = "sensors"
    rank: ClassVar[int] = 7

    def factors(self, setting: Setting) -> Families:
        return {"sensor": _FACTORS}

    def build(self, draft: Draft, setting: Setting) -> None:
        draw = draft.draw
        draft.sensor, draft.frame = _sensor(draw), _frame(draw)
        draft.exposure, draft.least_luminance = draw("sensor.rgb.exposure"), draw("sensor.rgb.least")


def _sensor(draw: Draws) -> Sensor:
    color = {name: draw(f"sensor.rgb.{name}") for name in _COLOR}
    balance = draw("sensor.rgb.white_balance.red"), draw("sensor.rgb.white_balance.blue")
    depth = {name: draw(f"sensor.depth.{name}") for name in DepthSensor.model_fields}
    return Sensor(
        color=ColorSensor(**color, white_balance=balance), depth=DepthSensor(**depth), seed=draw("noise.seed")
    )


def _frame(draw: Draws) -> tuple[Any, ...]:
    """Rotation, crop and its place, as `framed` takes them; empty where they change nothing."""
    rotation, crop = draw("sensor.rotation"), draw("sensor.crop")
    offset = draw("sensor.crop.x"), draw("sensor.crop.y")
    return (rotation, crop, offset) if rotation or crop < 1 else ()
