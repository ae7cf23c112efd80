"""Scenes for tests of the path tracer, in which every light is known."""

from typing import Any

import numpy as np

from simworld.assets.robot_search import find_robot
from simworld.geometry import look_at
from simworld.scene.camera import Camera
from simworld.scene.light import (
    Background,
    Light,
    SolidBackground,
)
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Part, Robot, Scene, Sphere
from simworld.scene.state import SceneState

PANDA = find_robot("panda")
WHITENESS = SolidBackground()
WHITE = Material(color=(1.0, 1.0, 1.0), specular=0.0)


def pinhole(eye: tuple[float, float, float], target: tuple[float, float, float], **options: Any) -> Camera:
    size = {"width": 64, "height": 48, "fx": 60, "fy": 60, "cx": 35.0, "cy": 22.5}
    return Camera(name="front", position=eye, orientation=look_at(eye, target), **size | options)


def floor(material: Material = WHITE) -> Body:
    """A slab of which the top is the plane z = 0."""
    part = Part(shape=Box(half_extents=(9, 9, 0.5)))
    return Body(name="floor", category="floor", parts=(part,), position=(0, 0, -0.5), material=material)


def ball(radius: float, position: tuple[float, float, float], material: Material = WHITE) -> Body:
    part = Part(shape=Sphere(radius=radius))
    return Body(name="ball", category="ball", parts=(part,), position=position, material=material)


def scene_of(
    *bodies: Body,
    lights: tuple[Light, ...] = (),
    ambient: float = 0.0,
    background: Background = WHITENESS,
) -> tuple[Scene, SceneState]:
    """A scene of which the robot is out of sight and of light, and its state."""
    robot = Robot(position=(0, 0, -50))
    scene = Scene(robot=robot, bodies=bodies, lights=lights, ambient=(ambient,) * 3, background=background)
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    joints, poses = np.array(PANDA.rest), np.array([body.pose for body in bodies]).reshape(-1, 7)
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((len(bodies), 6)))
