"""Physics: what things weigh and how they touch, how the robot moves, and what disturbs it."""

from collections.abc import Mapping

from simworld.building.factor import JOINTS, OBJECTS, SEEDS, Factor, number, whole
from simworld.distributions.choices import Choice
from simworld.distributions.univariate import Integers

_ROUGHEST = 1.5
"""Rubber on what is dry has a coefficient of up to about 1.5; of two things that touch, Bullet multiplies both."""

# What weighs less than 20 g would need finer steps than there are, or give way by millimetres under the hand.
FACTORS: Mapping[str, Factor] = {
    "objects.*.mass": number(0.1, 0.02, 10.0, "kg", "mass", *OBJECTS),
    "objects.*.inertia": number(1.0, 0.1, 10.0, "", "times the moments of inertia of its shape", *OBJECTS),
    **{
        f"objects.*.center.{axis}": number(
            0.0, -0.6, 0.6, "", f"centre of mass from the middle along its {axis}, in half sizes", *OBJECTS
        )
        for axis in "xyz"
    },
    "objects.*.friction": number(0.5, 0.0, _ROUGHEST, "", "Coulomb coefficient", *OBJECTS),
    "objects.*.rolling_friction": number(0.0005, 0.0, 0.05, "m", "of spheres and cylinders", *OBJECTS),
    "objects.*.spinning_friction": number(0.001, 0.0, 0.05, "m", "of all but boxes", *OBJECTS),
    "objects.*.restitution": number(0.0, 0.0, 1.0, "", "share of the speed after a bounce on the table", *OBJECTS),
    "objects.*.compliance": number(0.0, 0.0, 0.01, "m/N", "how far a contact gives way, 0 for rigid", *OBJECTS),
    "objects.*.contact_damping": number(10.0, 0.0, 1000.0, "N s/m", "of contacts that give way", *OBJECTS),
    **{
        f"{body}.{name}": number(nominal, 0.0, most, "", meaning)
        for body, friction, restitution in (("table", 1.0, 1.0), ("box", 0.5, 0.0), ("floor", 0.5, 0.0))
        for name, nominal, most, meaning in (
            ("friction", friction, _ROUGHEST, "Coulomb coefficient"),
            ("restitution", restitution, 1.0, "times that of what bounces on it"),
        )
    },
    "gravity": number(9.81, 0.0, 20.0, "m/s2", "acceleration"),
    "robot.joints.*.offset": number(0.0, -0.15, 0.15, "rad", "from the rest posture, at the start", *JOINTS),
    "robot.joints.*.damping": number(1.0, 0.2, 1.8, "", "times the damping of its motor", *JOINTS),
    "robot.joints.*.friction": number(0.0, 0.0, 1.0, "N m", "Coulomb friction", *JOINTS),
    "robot.gain": number(1.0, 0.2, 2.0, "", "times the position gains of the arm's motors"),
    "robot.strength": number(1.0, 0.1, 2.0, "", "times the torque limits of the arm's motors"),
    "robot.grip": number(1.0, 0.2, 1.5, "", "times the force limit of the fingers, 10 N"),
    "robot.finger_friction": number(1.0, 0.05, _ROUGHEST, "", "Coulomb coefficient of the fingers"),
    "robot.backlash": number(0.0, 0.0, 0.05, "rad", "play of each joint of the arm"),
    "control.delay": number(0.0, 0.0, 30.0, "physics steps", "from an action to its effect; 6 are a control step"),
    "control.drop": number(0.0, 0.0, 0.9, "", "share of the actions that are lost: as if they were 0"),
    "observation.delay": whole(0, 0, 10, "control steps from what is so to what is observed of the state"),
    "observation.noise.position": number(0.0, 0.0, 0.1, "m", "standard deviation in every step"),
    "observation.noise.orientation": number(0.0, 0.0, 1.0, "rad", "standard deviation in every step"),
    "observation.noise.velocity": number(0.0, 0.0, 1.0, "m/s", "standard deviation in every step"),
    "observation.noise.angular_velocity": number(0.0, 0.0, 10.0, "rad/s", "standard deviation in every step"),
    "observation.bias.position": number(0.0, 0.0, 0.1, "m", "standard deviation from episode to episode"),
    "observation.bias.orientation": number(0.0, 0.0, 1.0, "rad", "standard deviation from episode to episode"),
    "observation.bias.velocity": number(0.0, 0.0, 1.0, "m/s", "standard deviation from episode to episode"),
    "observation.bias.angular_velocity": number(0.0, 0.0, 10.0, "rad/s", "standard deviation from episode to episode"),
    "pushes.rate": number(0.0, 0.0, 25.0, "1/s", "how often the object is pushed for 0.04 s"),
    "pushes.force": number(0.5, 0.0, 50.0, "N", "largest force of a push, in any direction"),
    "pushes.torque": number(0.0, 0.0, 5.0, "N m", "largest torque of a push, about any axis"),
    "policy.noise": number(Choice((0.0, 1.0, 2.0)), 0.0, 10.0, "", "times the noise that a rollout was asked for"),
    "noise.seed": whole(Integers(0, SEEDS), 0, SEEDS, "which noise: of actions, observations and pictures"),
}
