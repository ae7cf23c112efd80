"""Whether a robot's YAML and its URDF are of one robot."""

from simworld.assets.robot import RobotModel
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


def _moving(model: RobotModel, link: str) -> tuple[str, ...]:
    return tuple(joint.name for joint in model.chain(link) if joint.kind != "fixed")
