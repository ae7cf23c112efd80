"""Where a robot's arm is at rest: the line through its joints, for what needs to know no more of it than that."""

import math
from functools import lru_cache

import numpy as np

from simworld.assets.robot_search import robot_of_digest
from simworld.geometry import IDENTITY, Array, compose, transform_points
from simworld.scene.model import Robot


@lru_cache(maxsize=16)
def arm_at_rest(name: str, digest: str) -> Array:
    """The joints (n, 3) of the arm of a robot at rest, from its base to its tool, in the frame of the base."""
    model = robot_of_digest(name, digest)
    rest, place = dict(zip(model.joints, model.rest, strict=True)), np.array([0.0, 0.0, 0.0, *IDENTITY])
    points = [place[:3]]
    for joint in model.chain(model.tool.link):
        place = compose(place, [*joint.position, *joint.orientation])
        points.append(place[:3])
        position = rest.get(joint.name, 0.0)
        axis = np.array(joint.axis)
        if joint.kind == "prismatic":
            place = compose(place, [*(position * axis), *IDENTITY])
        elif joint.kind != "fixed":
            place = compose(place, [0.0, 0.0, 0.0, *(math.sin(position / 2) * axis), math.cos(position / 2)])
    points.append(compose(place, [*model.tool.position, *model.tool.orientation])[:3])
    return np.array(points)


def distance_to_arm(robot: Robot, place: tuple[float, float, float]) -> float:
    """Metres from a place in the world to that line."""
    base = [*robot.position, *robot.orientation]
    points = transform_points(base, arm_at_rest(robot.name, robot.digest))
    begins, ways = points[:-1], np.diff(points, axis=0)
    shares = ((place - begins) * ways).sum(axis=1) / np.maximum((ways * ways).sum(axis=1), 1e-12)
    nearest = begins + np.clip(shares, 0, 1)[:, None] * ways
    return float(np.sqrt(((nearest - place) ** 2).sum(axis=1)).min())
