"""What Bullet makes of a robot's links, read once: their weights, and how far what can be hit of them reaches."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from simworld.assets.robot_search import robot_of_digest
from simworld.geometry import IDENTITY, Array, invert, transform_points
from simworld.physics.articulated import place_links
from simworld.physics.bullet import bullet, connect
from simworld.physics.kinematics import Weight, link_tree


class RobotLinks(NamedTuple):
    """The links of a robot as the rows that `read_arm` takes, with weights.

    And spheres (n, 5) about all that can be hit of links that can move: the link's row, the sphere's middle in its
    frame, and its radius, in metres. The forces that brake joints (joints,) are for each unit of their velocity.
    """

    tree: Array
    spheres: Array
    brakes: Array


@lru_cache(maxsize=16)
def robot_links(name: str, digest: str) -> RobotLinks:
    """The links of the robot of this name and content."""
    model = robot_of_digest(name, digest)
    client = connect()
    try:
        flags = bullet.URDF_USE_INERTIA_FROM_FILE
        robot = bullet.loadURDF(str(model.urdf), useFixedBase=True, flags=flags, physicsClientId=client)
        about = [bullet.getDynamicsInfo(robot, link, physicsClientId=client) for link in range(len(model.tree))]
        brakes = [bullet.getJointInfo(robot, row - 1, physicsClientId=client)[6] for row in model.joint_links]
        shaped = [link for link in range(len(model.tree)) if _is_shaped(robot, link, client)]
        bounds = [bullet.getAABB(robot, link, physicsClientId=client) for link in shaped]
    finally:
        bullet.disconnect(physicsClientId=client)
    weights = (Weight(mass, moments, (*place, *turn)) for mass, _, moments, place, turn, *_ in about)
    tree = link_tree(model, weights)
    poses = np.array([[0.0, 0.0, 0.0, *IDENTITY]] * (len(tree) + 1))
    place_links(tree, np.zeros(len(model.joints)), poses)
    moving = [any(joint.kind != "fixed" for joint in model.chain(link)) for link in model.links]
    rows = []
    for row, (low, high) in zip([link + 1 for link in shaped], bounds, strict=True):
        if moving[row]:
            middle = transform_points(invert(poses[row]), [np.add(low, high) / 2])[0]
            rows.append([row, *middle, math.dist(low, high) / 2])
    return RobotLinks(tree, np.array(rows).reshape(-1, 5), np.array(brakes))


def _is_shaped(robot: int, link: int, client: int) -> bool:
    """Whether there is something of a link that can be hit."""
    return bool(bullet.getCollisionShapeData(robot, link, physicsClientId=client))
