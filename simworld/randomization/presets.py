"""Randomizations by name, and protocols that test what was learnt with one."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from simworld.building.camera_place import FRONT, SIDE, TOP
from simworld.building.looks import TEXTURES
from simworld.building.objects import KINDS
from simworld.building.space import FactorSpace
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV
from simworld.distributions.univariate import Integers, LogUniform, Uniform
from simworld.distributions.values import check_plain
from simworld.errors import ConfigurationError, nearest, shown
from simworld.language.sentence import MOST_SENTENCES, STYLES
from simworld.language.wording import NOUNS, WAYS
from simworld.randomization.preset_parts import ANY_SEED, PI, about, any_surface, preset
from simworld.randomization.randomization import Randomization
from simworld.randomization.scenic import HOUSEHOLD, NATURAL, ROOMS, TRIPOD, VIEWS
from simworld.randomization.unseen import UNSEEN, UNSEEN_LOOKS

NONE = Randomization()
"""The nominal world; only what makes the task varies: where the objects and the goal are."""

_BY_FAMILY: Mapping[str, dict[str, Any]] = {
    "physics": {
        "objects.*.mass": LogUniform(0.03, 0.3),
        "objects.*.friction": Uniform(0.4, 1.0),
        "robot.joints.*.offset": Uniform(-0.06, 0.06),
        "table.friction": Uniform(0.7, 1.2),
    },
    "geometry": {
        "objects.count": Integers(1, 3),
        "objects.*.kind": Choice(KINDS),
        "objects.*.seed": ANY_SEED,
        "objects.*.width": Uniform(0.032, 0.046),
        "objects.*.depth": Uniform(0.032, 0.046),
        "objects.*.height": Uniform(0.032, 0.05),
        "objects.*.yaw": Uniform(-PI, PI),
        "boxes.0.position.x": Uniform(-0.08, 0.08),
        "boxes.0.position.y": Uniform(0.2, 0.25),
        "boxes.*.yaw": Uniform(-0.3, 0.3),
        "boxes.*.width": Uniform(0.14, 0.18),
        "boxes.*.depth": Uniform(0.14, 0.18),
        "boxes.*.height": Uniform(0.04, 0.08),
    },
    "appearance": {
        "objects.*.color": HSV(saturation=Uniform(0.3, 1.0), value=Uniform(0.35, 1.0)),
        "boxes.*.color": HSV(saturation=Uniform(0.1, 0.9), value=Uniform(0.25, 0.9)),
        "table.color": HSV(saturation=Uniform(0.0, 0.4), value=Uniform(0.3, 0.95)),
        "floor.color": HSV(saturation=Uniform(0.0, 0.3), value=Uniform(0.2, 0.8)),
    },
    "light": {
        "lights.*.azimuth": Uniform(-PI, PI),
        "lights.*.elevation": Uniform(0.6, 1.4),
        "lights.*.intensity": Uniform(0.3, 0.6),
        "lights.ambient": Uniform(0.35, 0.6),
    },
    "camera": {
        "camera.*.azimuth": Uniform(-0.06, 0.06),
        "camera.*.elevation": Uniform(-0.05, 0.05),
        "camera.*.distance": Uniform(0.94, 1.06),
        "camera.*.fov": Uniform(0.72, 0.85),
        "camera.wrist.fov": Uniform(1.12, 1.29),
    },
    "words": {
        "instruction.sentence": Integers(0, MOST_SENTENCES - 1),
        "instruction.style": Choice(tuple(STYLES)),
        "instruction.by": Choice(WAYS),
        "instruction.noun": Choice(NOUNS),
        "instruction.pairs": Choice(("common", "rare"), (0.8, 0.2)),
        "instruction.choice": Uniform(0.0, 1.0),
    },
}


DEFAULT = preset(*_BY_FAMILY.values())
"""What matters most varies moderately."""

_DYNAMICS: dict[str, Any] = _BY_FAMILY["physics"] | {
    "objects.*.inertia": Uniform(0.8, 1.25),
    "objects.*.center.x": Uniform(-0.1, 0.1),
    "objects.*.center.y": Uniform(-0.1, 0.1),
    "objects.*.center.z": Uniform(-0.1, 0.1),
    "objects.*.rolling_friction": LogUniform(0.0003, 0.001),
    "objects.*.spinning_friction": LogUniform(0.0007, 0.002),
    "objects.*.restitution": Uniform(0.0, 0.2),
    "table.restitution": Uniform(0.5, 1.0),
    "boxes.*.friction": Uniform(0.4, 0.8),
    "boxes.*.restitution": Uniform(0.0, 0.5),
    "floor.friction": Uniform(0.4, 0.8),
    "floor.restitution": Uniform(0.0, 0.5),
    "gravity": Uniform(9.7, 9.9),
    "robot.joints.*.damping": Uniform(0.8, 1.2),
    "robot.joints.*.friction": Uniform(0.0, 0.2),
    "robot.gain": Uniform(0.85, 1.1),
    "robot.strength": Uniform(0.9, 1.1),
    "robot.grip": Uniform(0.9, 1.2),
    "robot.finger_friction": Uniform(0.8, 1.2),
    "robot.backlash": Uniform(0.0, 0.002),
    "control.delay": Uniform(0.0, 4.0),
    "control.drop": Uniform(0.0, 0.05),
    "observation.noise.position": Uniform(0.0, 0.001),
    "observation.noise.orientation": Uniform(0.0, 0.01),
    "observation.noise.velocity": Uniform(0.0, 0.01),
    "observation.noise.angular_velocity": Uniform(0.0, 0.05),
    "observation.noise.joint_position": Uniform(0.0, 0.001),
    "observation.noise.joint_velocity": Uniform(0.0, 0.01),
    "observation.noise.joint_effort": Uniform(0.0, 0.2),
    "observation.bias.position": Uniform(0.0, 0.001),
    "observation.bias.orientation": Uniform(0.0, 0.005),
    "observation.bias.velocity": Uniform(0.0, 0.002),
    "observation.bias.angular_velocity": Uniform(0.0, 0.01),
    "observation.bias.joint_position": Uniform(0.0, 0.002),
    "observation.bias.joint_velocity": Uniform(0.0, 0.002),
    "observation.bias.joint_effort": Uniform(0.0, 0.3),
    "pushes.rate": Uniform(0.0, 0.3),
    "pushes.force": Uniform(0.1, 0.3),
    "pushes.torque": Uniform(0.0, 0.002),
}
DYNAMICS = preset(_DYNAMICS)
"""How things weigh, touch and move."""

_GEOMETRY: dict[str, Any] = _BY_FAMILY["geometry"] | {
    "objects.*.stretch.x": Uniform(0.9, 1.1),
    "objects.*.stretch.y": Uniform(0.9, 1.1),
    "objects.*.stretch.z": Uniform(0.9, 1.1),
    "boxes.*.wall": Uniform(0.006, 0.01),
    "table.height": Uniform(-0.02, 0.02),
    "table.tilt.x": Uniform(-0.01, 0.01),
    "table.tilt.y": Uniform(-0.01, 0.01),
}


_VISUAL: dict[str, Any] = _BY_FAMILY["camera"] | {
    # What there is to see: every kind of object, and several at a time.
    "objects.count": _BY_FAMILY["geometry"]["objects.count"],
    "objects.*.kind": _BY_FAMILY["geometry"]["objects.*.kind"],
    "objects.*.seed": _BY_FAMILY["geometry"]["objects.*.seed"],
    **any_surface("objects.*", 0.04),
    **any_surface("boxes.*", 0.1),
    **any_surface("table", 0.3),
    **any_surface("floor", 0.6),
    "robot.painted": Choice((0, 1)),
    **any_surface("robot", 0.1),
    "background.kind": Choice(("solid", "gradient", "texture")),
    "background.color": HSV(),
    "background.horizon": HSV(),
    "background.bottom": HSV(),
    "background.texture": Choice(TEXTURES[1:]),
    "background.seed": ANY_SEED,
    "lights.count": Integers(1, 3),
    "lights.ambient": Uniform(0.2, 0.6),
    "lights.*.kind": Choice(("directional", "point", "spot"), (0.6, 0.2, 0.2)),
    "lights.*.azimuth": Uniform(-PI, PI),
    "lights.*.elevation": Uniform(0.4, 1.5),
    "lights.*.distance": Uniform(0.8, 2.0),
    "lights.*.intensity": Uniform(0.2, 0.7),
    "lights.*.temperature": Uniform(2700.0, 9000.0),
    "lights.*.softness": Choice((0.0, 0.02, 0.08)),
    "lights.*.cone": Uniform(0.4, 0.9),
    "lights.*.shadow": Choice((1, 0), (0.9, 0.1)),
    **{f"camera.{place.name}.target": about(place.target, 0.02) for place in (FRONT, SIDE, TOP) if place.target},
    "camera.wrist.offset": about((0.0, 0.0, 0.0), 0.005),
    "camera.*.roll": Uniform(-0.04, 0.04),
    "camera.*.principal.x": Uniform(-0.01, 0.01),
    "camera.*.principal.y": Uniform(-0.01, 0.01),
    "sensor.rgb.exposure": Uniform(-0.4, 0.4),
    "sensor.rgb.least": 0.05,
    "sensor.rgb.gain": Uniform(0.9, 1.1),
    "sensor.rgb.white_balance.red": Uniform(0.9, 1.1),
    "sensor.rgb.white_balance.blue": Uniform(0.9, 1.1),
    "sensor.rgb.shot_noise": Uniform(0.0, 0.03),
    "sensor.rgb.read_noise": Uniform(0.0, 0.01),
    "sensor.rgb.defocus": Uniform(0.0, 0.002),
    "sensor.rgb.vignetting": Uniform(0.0, 0.3),
    "sensor.rgb.dead_pixels": Uniform(0.0, 0.0005),
    "sensor.depth.noise": Uniform(0.0, 1.0),
    "sensor.depth.holes": Uniform(0.0, 0.05),
    "sensor.depth.flying": Uniform(0.0, 0.5),
    "sensor.depth.quantization": Uniform(0.0, 0.003),
    "sensor.rotation": Uniform(-0.03, 0.03),
    "sensor.crop": Uniform(0.9, 1.0),
    "sensor.crop.x": Uniform(-1.0, 1.0),
    "sensor.crop.y": Uniform(-1.0, 1.0),
}
VISUAL = preset(_VISUAL)
"""What there is to see, what it looks like, in what light, seen by which camera."""

FULL = preset(_DYNAMICS, _GEOMETRY, _VISUAL, _BY_FAMILY["words"])
"""All families vary, within what the scripted experts solve."""

_EXTREME: dict[str, Any] = {
    "objects.count": Integers(1, 4),
    "objects.*.mass": LogUniform(0.02, 1.0),
    "objects.*.friction": Uniform(0.15, 1.5),
    "objects.*.restitution": Uniform(0.0, 0.7),
    "objects.*.compliance": Choice((0.0, 0.0005)),
    "objects.*.contact_damping": LogUniform(1.0, 100.0),
    "gravity": Uniform(8.5, 11.0),
    "robot.joints.*.damping": Uniform(0.5, 1.5),
    "robot.joints.*.friction": Uniform(0.0, 0.5),
    "robot.gain": Uniform(0.5, 1.5),
    "robot.strength": Uniform(0.6, 1.2),
    "robot.backlash": Uniform(0.0, 0.01),
    "control.delay": Uniform(0.0, 18.0),
    "control.drop": Uniform(0.0, 0.3),
    "observation.delay": Integers(0, 3),
    "observation.noise.position": Uniform(0.0, 0.01),
    "observation.bias.position": Uniform(0.0, 0.01),
    "pushes.rate": Uniform(0.0, 2.0),
    "pushes.force": Uniform(0.0, 3.0),
    "table.tilt.x": Uniform(-0.05, 0.05),
    "table.tilt.y": Uniform(-0.05, 0.05),
    "lights.ambient": Uniform(0.05, 1.0),
    "lights.*.intensity": Uniform(0.0, 1.5),
    "lights.*.temperature": LogUniform(1800.0, 15000.0),
    "camera.*.azimuth": Uniform(-0.5, 0.5),
    "camera.*.elevation": Uniform(-0.2, 0.3),
    "camera.*.distance": Uniform(0.7, 1.5),
    "camera.*.roll": Uniform(-0.3, 0.3),
    "camera.*.distortion.k1": Uniform(-0.1, 0.1),
    "camera.*.distortion.k2": Uniform(-0.02, 0.02),
    "camera.*.distortion.p1": Uniform(-0.005, 0.005),
    "camera.*.distortion.p2": Uniform(-0.005, 0.005),
    "sensor.rgb.exposure": Uniform(-1.5, 1.5),
    "sensor.rgb.shot_noise": Uniform(0.0, 0.1),
    "sensor.rgb.motion_blur": Uniform(0.0, 0.02),
    "sensor.rgb.motion_direction": Uniform(-PI, PI),
    "sensor.rgb.jpeg_quality": Integers(20, 95),
    "sensor.rgb.dead_pixels": Uniform(0.0, 0.005),
    "sensor.depth.noise": Uniform(0.0, 4.0),
    "sensor.depth.holes": Uniform(0.0, 0.3),
    "sensor.rotation": Uniform(-0.2, 0.2),
    "sensor.crop": Uniform(0.7, 1.0),
}
EXTREME = preset(_DYNAMICS, _GEOMETRY, _VISUAL, _BY_FAMILY["words"], _EXTREME)
"""Far beyond what the experts solve, to look for what breaks."""

PRESETS: Mapping[str, Randomization] = MappingProxyType(
    {
        "none": NONE,
        "default": DEFAULT,
        "visual": VISUAL,
        "dynamics": DYNAMICS,
        "full": FULL,
        "extreme": EXTREME,
        "views": VIEWS,
        "rooms": ROOMS,
        "natural": NATURAL,
        "tripod": TRIPOD,
        "household": HOUSEHOLD,
        "unseen": UNSEEN,
        "unseen_looks": UNSEEN_LOOKS,
    }
)


def as_randomization(value: "Randomization | Mapping[str, Any] | str | Sequence[Any]") -> Randomization:
    """A Randomization from itself, a preset's name, names joined by `+`, a mapping of addresses, or a list of these.

    Of several, later ones win.
    """
    match value:
        case Randomization():
            return value
        case str() if value in PRESETS:
            return PRESETS[value]
        case str() if "+" in value:
            return as_randomization([part.strip() for part in value.split("+")])
        case str():
            raise ConfigurationError(f"randomization: no preset {shown(value)}{nearest(value, PRESETS)}")
        case Mapping():
            return Randomization(value)
        case list() | tuple() if value:
            check_plain(value)
            total = NONE
            for part in value:
                total = total | as_randomization(part)
            return total
    raise ConfigurationError(
        f"randomization: expected one of {sorted(PRESETS)}, a Randomization, a mapping of addresses or a list of "
        f"these, got {shown(value)}"
    )


def protocols(randomization: Randomization, space: FactorSpace, holdout: float = 0.2) -> dict[str, Randomization]:
    """Randomizations to test what was learnt with `train`, the first of them (after CausalWorld, Ahmed et al. 2021).

    `train` is space A of the split; each family of the environment's factor `space` has a protocol of its name, in
    which it alone comes from the held-out space B, and in `all` everything does.
    """
    train, held_out = randomization.within(space).split(holdout)
    families = {family: train | held_out.only(space, family) for family in space.families}
    return {"train": train, **families, "all": held_out}
