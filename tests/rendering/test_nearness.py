"""How near things are taken to come to cameras, and the detail in which they are drawn for it."""

from contextlib import closing

import gymnasium as gym
import numpy as np
import pytest

from simworld.agents.collect import manipulation
from simworld.geometry import transform_points
from simworld.rendering.meshes.loading import BOX, diagonal, load_mesh
from simworld.rendering.nearness import least_distances
from simworld.rendering.poses import poses_of
from simworld.rendering.raster.drawlist import DrawLists
from simworld.rendering.surfaces import surfaces
from simworld.scene.state import camera_pose


@pytest.mark.parametrize("robot", ["panda", "xarm6", "iiwa"])
def test_hardly_anything_comes_nearer_than_it_is_taken_to(robot: str) -> None:
    """Middles of surfaces over a random way are at least as far as said, but for a few of odd postures."""
    with closing(gym.make("simworld/PlaceInBox-v0", robot=robot)) as env:
        env.reset(seed=0)
        env.action_space.seed(0)
        made = manipulation(env)
        scene = made.sample.scene
        drawn, links = surfaces(scene), scene.robot.model.links
        shaped = [s.mesh != BOX for s in drawn]
        middles = [load_mesh(s.mesh, diagonal(s.mesh) / 64)[0].mesh.vertices.mean(axis=0) * s.size for s in drawn]
        bounds = {camera.name: least_distances(scene, drawn, camera) for camera in scene.cameras}
        # What a camera is in the midst of is taken to be half its radius away; boxes have no levels.
        others = {
            c.name: np.array(shaped) & [c.parent is None or s.carrier != links.index(c.parent) for s in drawn]
            for c in scene.cameras
        }
        nearer, all_of_them = 0, 0
        for _ in range(40):
            env.step(env.action_space.sample())
            state = made.world.state()
            carriers = poses_of(scene, state)
            places = [
                transform_points(carriers[s.carrier], transform_points(s.local, m[None]))[0]
                for s, m in zip(drawn, middles, strict=True)
            ]
            for camera in scene.cameras:
                away = np.linalg.norm(np.array(places) - camera_pose(scene, state, camera)[:3], axis=1)
                nearer += int((away < bounds[camera.name])[others[camera.name]].sum())
                all_of_them += len(away)
        assert nearer < 0.02 * all_of_them
        assert all((bound >= camera.near).all() for bound, camera in zip(bounds.values(), scene.cameras, strict=True))


def test_detail_grows_with_the_image_and_is_shared() -> None:
    with closing(gym.make("simworld/PlaceInBox-v0")) as env:
        env.reset(seed=0)
        scene = manipulation(env).sample.scene
    lists, full, camera = DrawLists(scene, 0.25), DrawLists(scene, 0.0), scene.camera("front")
    small, large = (lists.seen_by(camera.resized(size, size)) for size in (84, 480))
    whole = full.seen_by(camera)
    counts = [made.geometry.triangles.shape[1] for made in (small, large, whole)]
    assert counts[0] < counts[1] < counts[2]
    assert lists.seen_by(camera.resized(84, 84)) is small
    assert lists.seen_by(camera.resized(84, 84).model_copy(update={"exposure": 1.0})) is small
    assert small.materials is large.materials and small.textures is large.textures
    assert whole.full and not small.full
