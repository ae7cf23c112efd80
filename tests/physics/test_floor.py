"""Nothing leaves the world: the floor goes on for ever, and neither it nor the table lets anything through."""

import numpy as np
import pytest

from simworld.building.entities import Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError
from simworld.physics.bullet import bullet
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Body, Box, Cylinder, Mesh, Part, Scene, Shape, Sphere
from simworld.streams import Streams

EMPTY = SceneSpec(entities=(Table(),))

FLOOR = -0.4
"""Height of the floor's upper face, whose slab is drawn to 2 m from the middle."""
SMALL: dict[str, Shape] = {
    "box": Box(half_extents=(0.005, 0.005, 0.005)),
    "sphere": Sphere(radius=0.005),
    "cylinder": Cylinder(radius=0.005, height=0.01),
    "duck": Mesh(name="duck", scale=0.25),
}


def thrown(shape: Shape, position: tuple[float, float, float], velocity: tuple[float, float, float]) -> World:
    """A world in which something flies; scenes begin at rest."""
    thing = Body(
        name="thing", category="thing", parts=(Part(shape=shape),), position=position, mass=0.05,
        rolling_friction=0.0005,
    )  # fmt: skip
    scene: Scene = sample_scene(EMPTY, NONE, Streams(0)).scene
    world = World()
    world.load(scene.model_copy(update={"bodies": (*scene.bodies, thing)}))
    bullet.resetBaseVelocity(world._names["thing"], velocity, (0.0, 0.0, 0.0), physicsClientId=world._client)
    return world


@pytest.mark.parametrize("kind", SMALL)
def test_what_rolls_or_flies_beyond_the_drawn_floor_stays_on_it(kind: str) -> None:
    for speed in (0.0, 3.0, 20.0):
        with thrown(SMALL[kind], (2.5, 0.0, 0.5), (0.0, speed, -0.3 * speed)) as world:
            for _ in range(10):
                world.step(25)
                assert world.body_pose("thing")[2] >= FLOOR - 0.001
            if speed == 0:
                assert np.abs(world.body_velocity("thing")).max() < 0.03
                assert {contact.instance_b for contact in world.contacts("thing")} == {2}


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("speed", [5.0, 20.0])
@pytest.mark.parametrize(("place", "height"), [((-0.1, 0.3), 0.0), ((1.0, 0.9), FLOOR)])
def test_nothing_that_is_flung_down_goes_through(
    kind: str, speed: float, place: tuple[float, float], height: float
) -> None:
    for start in (0.5, 0.53, 0.57):
        with thrown(SMALL[kind], (*place, height + start), (0.0, 0.0, -speed)) as world:
            world.step(40)
            assert world.body_pose("thing")[2] >= FLOOR - 0.001
            inside = np.abs(world.body_pose("thing")[:2] - [-0.3, 0.0]) < [0.54, 0.44]
            assert world.body_pose("thing")[2] > height - 0.001 or not inside.all()


def test_a_state_tells_where_the_floor_is_drawn() -> None:
    with thrown(SMALL["box"], (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)) as world:
        assert world.body_pose("floor") == pytest.approx(world.scene.bodies[0].pose)
        assert not world.body_velocity("floor").any()


def test_only_what_is_fixed_is_endless() -> None:
    part = Part(shape=Box(half_extents=(0.1, 0.1, 0.1)))
    with pytest.raises(ConfigurationError, match="only what is fixed may be"):
        Body(name="slab", category="floor", parts=(part,), mass=1.0, endless=True)
