"""Whether a robot's YAML and its URDF are of one robot."""

import math

from simworld.assets.robot import RobotModel
from simworld.assets.urdf import span
from simworld.errors import ConfigurationError, nearest


def check_model(model: RobotModel) -> None:
    """Raise ConfigurationError where a model names what the URDF has not, or rests where it cannot be."""
    named = [("tool.link", model.tool.link), *(("gripper.fingers", link) for link in model.gripper.fingers)]
    named += [(f"mounts.{name}.link", frame.link) for name, frame in model.mounts.items()]
    named += [(f"visuals.{i}.link", visual.link) for i, visual in enumerate(model.visuals)]
    for key, link in named:
        if link not in model.links:
            raise ConfigurationError(f"{key}: there is no link {link!r} in the URDF{nearest(link, model.links)}")
    arm = model.joints[: model.arm_joints]
    if (moving := _moving(model, model.tool.link)) != arm:
        raise ConfigurationError(f"arm: must be the joints from the base to {model.tool.link!r}, {moving}, got {arm}")
    for link in model.gripper.fingers:
        if not set(_moving(model, link)) & set(model.gripper.joints):
            raise ConfigurationError(f"gripper.fingers: no joint of the gripper moves {link!r}")
    for name, lower, rest, upper in zip(model.joints, model.lower, model.rest, model.upper, strict=True):
        if not lower <= rest <= upper:
            raise ConfigurationError(f"rest.{name}: must be in {lower} to {upper}, got {rest}")
    _check_workspace(model)


def _check_workspace(model: RobotModel) -> None:
    """Raise ConfigurationError where the tool cannot get to any of it."""
    low, high = model.workspace
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise ConfigurationError(f"workspace: must have low < high along x, y and z, got {low} and {high}")
    nearest_of_it = [min(max(x, a), b) for x, a, b in zip(model.base, low, high, strict=True)]
    off, most = math.dist(model.base, nearest_of_it), _span(model)
    if off > most:
        raise ConfigurationError(
            f"base: must be within {most:.2f} m of the workspace, as far as the arm is long, got {model.base}, "
            f"{off:.2f} m off"
        )


def _span(model: RobotModel) -> float:
    """Metres from the base beyond which the tool never gets."""
    limits = dict(zip(model.joints, zip(model.lower, model.upper, strict=True), strict=True))
    return span(model.chain(model.tool.link), limits) + math.hypot(*model.tool.position)


def _moving(model: RobotModel, link: str) -> tuple[str, ...]:
    return tuple(joint.name for joint in model.chain(link) if joint.kind != "fixed")
