"""Puts things somewhere by hand, as no reset or action does."""

from simworld.envs.env import ManipulationEnv
from simworld.geometry import Vec3
from simworld.physics.bullet import bullet


def put(env: ManipulationEnv, name: str, place: Vec3, steps: int = 25) -> dict[str, object]:
    """Put a thing at a place in the world, at rest, and let so many steps pass; the info after them."""
    world = env.world
    uid, client = world._names[name], world._client
    upright = (0.0, 0.0, 0.0, 1.0)
    bullet.resetBasePositionAndOrientation(uid, place, upright, physicsClientId=client)
    bullet.resetBaseVelocity(uid, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=client)
    world._clearance.disturb()
    info: dict[str, object] = {}
    for _ in range(steps):
        info = env.step(env.action_space.sample() * 0)[4]
    return info


def put_in(env: ManipulationEnv, name: str, box: str, x: float = 0.0, y: float = 0.0) -> dict[str, object]:
    """Put a thing on the floor of a box, so far from its middle, along the world's axes."""
    middle = env.sample.scene.body(box).position
    return put(env, name, (middle[0] + x, middle[1] + y, middle[2] + 0.03))
