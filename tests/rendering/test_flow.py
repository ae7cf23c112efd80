"""Optical flow and what is hidden next; and what all channels have in common."""

from dataclasses import replace

import numpy as np
import pytest

from simworld.errors import ConfigurationError
from simworld.geometry import quat_from_yaw, quat_to_matrix
from simworld.rendering import make_renderer
from simworld.rendering.frame import CHANNELS, DEFAULT_CHANNELS, Frame
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.model import Box, Sphere
from tests.support.seen_scenes import body_of, pinhole, sampled, scene_of


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the camera's frame through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)


def warped(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Row and column in the next image of what is not occluded there."""
    i, j = np.nonzero(~frame.occluded_next)
    u, v = j + 0.5 + frame.flow[i, j, 0], i + 0.5 + frame.flow[i, j, 1]
    return np.floor(v).astype(int), np.floor(u).astype(int)


@pytest.mark.parametrize("camera_name", ["front", "wrist"])
@pytest.mark.parametrize("index", range(3))
def test_flow_takes_every_pixel_to_where_it_is_seen_next(index: int, camera_name: str) -> None:
    scene, before, after = sampled(index)
    camera = scene.camera(camera_name).resized(160, 120)
    renderer = RasterRenderer()
    channels = ("segmentation", "links", "flow", "occluded_next")
    frame = renderer.render(scene, before, camera, channels, after)
    later = renderer.render(scene, after, camera, ("segmentation", "links"))
    moved = np.linalg.norm(frame.flow, axis=-1)[frame.segmentation > 0]
    assert (moved > 1).mean() > (0.9 if camera_name == "wrist" else 0.01)
    assert (~frame.occluded_next).mean() > 0.5
    row, column = warped(frame)
    for name in ("segmentation", "links"):
        share = (getattr(frame, name)[~frame.occluded_next] == getattr(later, name)[row, column]).mean()
        assert share >= 0.99, (name, share)


@pytest.mark.parametrize("name", ["raster", "tiny"])
def test_flow_of_a_moved_plane_has_a_closed_form(name: str) -> None:
    slab = body_of(Box(half_extents=(9, 9, 0.5)), (0, 0, -0.5))
    scene, state = scene_of(slab)
    camera = pinhole((0.3, -0.4, 1.5), (0.0, 0.1, 0.0))
    turn, shift = quat_from_yaw(0.02), np.array([0.01, -0.02, 0.005])
    later = replace(state, body_poses=np.array([[*(np.array([0, 0, -0.5]) + shift), *turn]]))
    frame = make_renderer(name).render(scene, state, camera, ("flow", "occluded_next"), later)
    forward = rays(camera) @ quat_to_matrix(camera.orientation).T
    points = np.array(camera.position) + forward * (-camera.position[2] / forward[..., 2:])
    moved = (points @ quat_to_matrix(turn).T + shift - camera.position) @ quat_to_matrix(camera.orientation)
    place = moved[..., :2] / moved[..., 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    v, u = np.indices(place.shape[:2]) + 0.5
    assert np.abs(frame.flow - (place - np.stack([u, v], axis=-1))).max() < 2e-3
    outside = ((place < 0) | (place >= [camera.width, camera.height])).any(axis=-1)
    assert 10 < outside.sum() < 2000
    assert np.array_equal(frame.occluded_next, outside)


def test_flow_of_the_background_is_that_of_the_camera_turning() -> None:
    scene, state = scene_of()
    # On the hand, and looking away from it.
    camera = pinhole((1, 0, 0), (2, 0, 0), parent="hand")
    turned = state.link_poses.copy()
    turned[:, 3:] = quat_from_yaw(0.03)
    turned[:, :3] += 0.4  # is nothing to what is infinitely far away
    later = replace(state, link_poses=turned)
    frame = RasterRenderer().render(scene, state, camera, ("flow", "segmentation"), later)
    there = frame.segmentation == 0
    now = rays(camera) @ quat_to_matrix(camera.orientation).T
    later = now @ quat_to_matrix(quat_from_yaw(0.03)) @ quat_to_matrix(camera.orientation)
    place = later[..., :2] / later[..., 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    v, u = np.indices(there.shape) + 0.5
    assert there.mean() > 0.1
    assert np.abs(frame.flow - (place - np.stack([u, v], axis=-1)))[there].max() < 2e-3
    assert np.abs(frame.flow[there]).max() > 3


def test_what_gets_hidden_is_occluded_and_what_hides_it_is_not() -> None:
    lid = body_of(Box(half_extents=(0.1, 0.1, 0.001)), (-0.5, 0, 0.5))
    slab = body_of(Box(half_extents=(2, 2, 0.5)), (0, 0, -0.5))
    scene, state = scene_of(lid, slab)
    poses = state.body_poses.copy()
    poses[0, 0] = 0.2
    camera = pinhole((0, 0, 2), (0, 0, 0), (0, 1, 0), fx=120, fy=120, cx=80, cy=60)
    later = replace(state, body_poses=poses)
    renderer = RasterRenderer()
    frame = renderer.render(scene, state, camera, ("flow", "occluded_next", "segmentation"), later)
    hidden = renderer.render(scene, later, camera, ("segmentation",)).segmentation == 2
    assert hidden.sum() > 200
    slab_now = frame.segmentation == 3
    assert np.array_equal(frame.occluded_next & slab_now, hidden & slab_now)
    assert not frame.occluded_next[frame.segmentation == 2].any()
    # The slab is at rest, and the lid moves by 0.7 m at 1.499 m.
    assert np.abs(frame.flow[slab_now]).max() < 1e-4
    lid_flow = frame.flow[frame.segmentation == 2]
    assert np.abs(lid_flow - [0.7 * 120 / 1.499, 0]).max() < 1e-2


def test_what_comes_to_be_behind_the_camera_is_occluded() -> None:
    wall = body_of(Box(half_extents=(0.001, 2, 2)), (0.5, 0, 0))
    scene, state = scene_of(wall)
    poses = state.body_poses.copy()
    poses[0, 0] = -0.5
    frame = RasterRenderer().render(
        scene, state, pinhole((0, 0, 0), (1, 0, 0)), ("flow", "occluded_next"), replace(state, body_poses=poses)
    )
    assert frame.occluded_next.all()
    assert (frame.flow == 0).all()


def test_flow_through_a_lens_goes_where_the_lens_shows_it() -> None:
    slab = body_of(Box(half_extents=(9, 9, 0.5)), (0, 0, -0.5))
    ball = body_of(Sphere(radius=0.2), (0.1, 0.2, 0.2))
    scene, state = scene_of(slab, ball)
    poses = state.body_poses.copy()
    poses[1, :2] += (0.06, -0.05)
    later = replace(state, body_poses=poses)
    camera = pinhole((0.3, -0.6, 0.9), (0, 0.1, 0), fx=110, fy=110, distortion=(-0.25, 0.05, 0.002, -0.001, 0.0))
    renderer = RasterRenderer()
    frame = renderer.render(scene, state, camera, ("segmentation", "flow", "occluded_next"), later)
    after = renderer.render(scene, later, camera, ("segmentation",)).segmentation
    row, column = warped(frame)
    same = frame.segmentation[~frame.occluded_next] == after[row, column]
    assert same.mean() > 0.99
    assert np.abs(frame.flow[frame.segmentation == 2]).max() < 2e-3


def test_what_leaves_a_lens_with_barrel_distortion_does_not_come_back_on_the_other_side() -> None:
    # With k1 = -0.25 alone, rays beyond 49 degrees would fold back, and at 2 m to the side of 1 m hit the middle.
    ball = body_of(Sphere(radius=0.2), (0, 0, 1))
    scene, state = scene_of(ball)
    poses = state.body_poses.copy()
    poses[0, 0] = 1.95
    camera = pinhole((0, 0, 0), (0, 0, 1), (0, 1, 0), fx=200, fy=200, distortion=(-0.25, 0, 0, 0, 0))
    channels = ("segmentation", "flow", "occluded_next")
    frame = RasterRenderer().render(scene, state, camera, channels, replace(state, body_poses=poses))
    assert (frame.segmentation == 2).sum() > 500
    assert frame.occluded_next[frame.segmentation == 2].all()


@pytest.mark.parametrize("camera_name", ["front", "wrist"])
def test_channels_of_both_renderers_agree(camera_name: str) -> None:
    scene, before, after = sampled(1)
    camera = scene.camera(camera_name).resized(160, 120)
    channels = ("segmentation", "links", "nocs", "flow", "occluded_next")
    tiny = make_renderer("tiny")
    one, other = (r.render(scene, before, camera, channels, after) for r in (RasterRenderer(error=0.0), tiny))
    tiny.close()
    same = (one.segmentation == other.segmentation) & (one.links == other.links) & (one.segmentation > 0)
    assert same.sum() > 0.95 * (other.segmentation > 0).sum()
    assert np.median(np.abs(one.nocs - other.nocs)[same]) < 1e-3
    assert np.quantile(np.abs(one.nocs - other.nocs)[same], 0.99) < 0.01
    assert np.median(np.abs(one.flow - other.flow)[same]) < 0.05
    assert np.quantile(np.abs(one.flow - other.flow)[same], 0.99) < 0.5
    assert (one.occluded_next == other.occluded_next)[same].mean() > 0.97


@pytest.mark.parametrize("name", ["raster", "tiny"])
def test_every_channel_has_its_shape_and_type(name: str) -> None:
    scene, before, after = sampled(0)
    renderer, camera = make_renderer(name), scene.camera("front").resized(40, 30)
    frame = renderer.render(scene, before, camera, tuple(renderer.channels), after)
    assert set(frame.channels) == set(renderer.channels)
    size = {"rgb": (30, 40, 3), "normals": (30, 40, 3), "nocs": (30, 40, 3), "flow": (30, 40, 2)}
    types = {
        "rgb": np.uint8,
        "segmentation": np.int32,
        "links": np.int32,
        "occluded_next": np.bool_,
        "amodal": np.bool_,
    }
    for channel, made in frame.channels.items():
        expected = (len(scene.instances), 30, 40) if channel == "amodal" else size.get(channel, (30, 40))
        assert made.shape == expected, channel
        assert made.dtype == types.get(channel, np.float32), channel
        assert np.isfinite(made).all(), channel


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_a_channel_does_not_depend_on_what_else_is_asked_for(channel: str) -> None:
    scene, before, after = sampled(2)
    camera = scene.camera("wrist").resized(40, 30)
    alone = RasterRenderer().render(scene, before, camera, (channel,), after)
    everything = RasterRenderer().render(scene, before, camera, tuple(CHANNELS), after)
    assert set(alone.channels) == {channel}
    assert getattr(alone, channel).tobytes() == getattr(everything, channel).tobytes()


def test_frames_and_renderers_say_what_is_wrong() -> None:
    scene, state = scene_of(body_of(Sphere(radius=0.1)))
    camera, renderer = pinhole((1, 0, 1), (0, 0, 0)).resized(8, 6), RasterRenderer()
    frame = renderer.render(scene, state, camera)
    assert tuple(frame.channels) == DEFAULT_CHANNELS
    with pytest.raises(ConfigurationError, match=r"the frame has no normals: render it with channels=\('normals'"):
        _ = frame.normals
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = frame.colour
    assert not hasattr(frame, "colour")
    for given, message in (
        (("depht",), "no channel 'depht'; did you mean 'depth'?"),
        (("xyz",), "no channel 'xyz'; there are .*'amodal'.*'segmentation'"),
        ("depth", "channels: must be one or more of .*, got 'depth'"),
        ((), "channels: must be one or more of"),
        (("rgb", "flow"), "'flow' needs next_state"),
        (("occluded_next",), "'occluded_next' needs next_state"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            renderer.render(scene, state, camera, given)
    with pytest.raises(ConfigurationError, match="renderer 'tiny' cannot make 'normals'; 'raster' can"):
        make_renderer("tiny").render(scene, state, camera, ("normals",))
