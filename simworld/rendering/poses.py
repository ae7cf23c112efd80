"""Where what is drawn is: poses of links and bodies, and the matrices (3, 4) from one frame to another.

Sums of products are einsum's, as BLAS rounds differently on other machines.
"""

import numpy as np

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.matrices import are_poses, look
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

NO_POSES = "a pose of the scene's state is not finite, or its quaternion has not length 1"


def poses_of(scene: Scene, state: SceneState) -> Array:
    """Poses (n, 7) of links, then of bodies: what surfaces are carried by.

    A state that is not one of the scene, or poses that are none, raise RenderError.
    """
    links, bodies = len(scene.robot.model.links), len(scene.bodies)
    poses = np.empty((links + bodies, 7))
    fill_poses(state, links, poses)
    if not are_poses(poses):
        raise RenderError(NO_POSES)
    return poses


def fill_poses(state: SceneState, links: int, poses: Array) -> None:
    """Fill `poses` (n, 7) with those of so many links, then of bodies; RenderError for a state of another scene."""
    bodies = len(poses) - links
    if state.link_poses.shape != (links, 7) or state.body_poses.shape != (bodies, 7):
        got = f"{state.link_poses.shape} and {state.body_poses.shape}"
        raise RenderError(f"the state must have link poses ({links}, 7) and body poses ({bodies}, 7), got {got}")
    poses[:links], poses[links:] = state.link_poses, state.body_poses


def view_of(scene: Scene, state: SceneState, camera: Camera) -> Array:
    """The matrix from the world to the camera's OpenCV frame."""
    view, link = np.empty((3, 4)), -1 if camera.parent is None else scene.robot.model.link_index(camera.parent)
    look(state.link_poses, link, np.array([*camera.position, *camera.orientation]), view)
    return view


def from_view(matrices: Array, view: Array) -> Array:
    """Matrices (..., 3, 4) from a view to where `matrices` take the world, which a rigid `view` (3, 4) takes there."""
    turned = np.einsum("...ij,kj->...ik", matrices[..., :3], view[:, :3])
    moved = matrices[..., 3] - np.einsum("...ij,j->...i", turned, view[:, 3])
    return np.concatenate([turned, moved[..., None]], axis=-1)
