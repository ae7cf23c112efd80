"""The conditions of an episode: how it is controlled, observed, disturbed and collected."""

from dataclasses import dataclass
from typing import ClassVar

from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import SEEDS, Factor, number, whole
from simworld.distributions.choices import Choice
from simworld.distributions.univariate import Integers

_COURSE: dict[str, Factor] = {
    "control.delay": number(0.0, 0.0, 30.0, "physics steps", "from an action to its effect; 6 are a control step"),
    "control.drop": number(0.0, 0.0, 0.9, "", "share of the actions that are lost: as if nothing new was asked for"),
    "observation.delay": whole(0, 0, 10, "control steps from what is so to what is observed of the state"),
    "observation.noise.position": number(0.0, 0.0, 0.1, "m", "standard deviation in every step"),
    "observation.noise.orientation": number(0.0, 0.0, 1.0, "rad", "standard deviation in every step"),
    "observation.noise.velocity": number(0.0, 0.0, 1.0, "m/s", "standard deviation in every step"),
    "observation.noise.angular_velocity": number(0.0, 0.0, 10.0, "rad/s", "standard deviation in every step"),
    "observation.noise.joint_position": number(0.0, 0.0, 0.2, "rad", "standard deviation in every step"),
    "observation.noise.joint_velocity": number(0.0, 0.0, 5.0, "rad/s", "standard deviation in every step"),
    "observation.noise.joint_effort": number(0.0, 0.0, 20.0, "N m", "standard deviation in every step"),
    "observation.bias.position": number(0.0, 0.0, 0.1, "m", "standard deviation from episode to episode"),
    "observation.bias.orientation": number(0.0, 0.0, 1.0, "rad", "standard deviation from episode to episode"),
    "observation.bias.velocity": number(0.0, 0.0, 1.0, "m/s", "standard deviation from episode to episode"),
    "observation.bias.angular_velocity": number(0.0, 0.0, 10.0, "rad/s", "standard deviation from episode to episode"),
    "observation.bias.joint_position": number(0.0, 0.0, 0.2, "rad", "standard deviation from episode to episode"),
    "observation.bias.joint_velocity": number(0.0, 0.0, 5.0, "rad/s", "standard deviation from episode to episode"),
    "observation.bias.joint_effort": number(0.0, 0.0, 20.0, "N m", "standard deviation from episode to episode"),
    "pushes.rate": number(0.0, 0.0, 25.0, "1/s", "pushes for 0.04 s of the object, one a control step at most"),
    "pushes.force": number(0.5, 0.0, 50.0, "N", "largest force of a push, in any direction"),
    "pushes.torque": number(0.0, 0.0, 5.0, "N m", "largest torque of a push, about any axis"),
    "policy.noise": number(Choice((0.0, 1.0, 2.0)), 0.0, 10.0, "", "times the noise that a rollout was asked for"),
    "noise.seed": whole(Integers(0, SEEDS), 0, SEEDS, "which noise: of actions, observations and pictures"),
}
_VIEW = {"view.step": whole(Integers(0, 60), 0, 1000, "steps of the policy before a labelled image is taken")}


@dataclass(frozen=True)
class Conditions(Entity):
    """What happens during an episode rather than what is in its scene."""

    kind: ClassVar[str] = "conditions"
    rank: ClassVar[int] = 9

    def factors(self, setting: Setting) -> Families:
        return {"physics": _COURSE, "camera": _VIEW}

    def build(self, draft: Draft, setting: Setting) -> None:
        for address in (*_COURSE, *_VIEW):
            draft.draw(address)
