"""The SceneState: poses, velocities and contacts of a Scene at one instant."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array, Vec3, compose
from simworld.scene.camera import Camera
from simworld.scene.model import Scene


class Contact(NamedTuple):
    """Contact between two instances: ids as in the segmentation, robot links (-1 for the base), force and gap.

    `normal_force` is in newtons along `normal`, a unit vector in the world from b to a; `distance` in metres is
    negative where the bodies penetrate.
    """

    instance_a: int
    instance_b: int
    link_a: int
    link_b: int
    normal_force: float
    distance: float
    normal: Vec3


@dataclass(frozen=True)
class SceneState:
    """One instant of a Scene; all poses in the world frame as (x, y, z, qx, qy, qz, qw).

    `joint_positions` and `joint_velocities` (j,): rad or m, and per second. `link_poses` (links, 7): the base first.
    `body_poses` (bodies, 7) and `body_velocities` (bodies, 6: linear m/s, angular rad/s) in the scene's order.
    """

    time: float
    joint_positions: Array
    joint_velocities: Array
    link_poses: Array
    body_poses: Array
    body_velocities: Array
    contacts: tuple[Contact, ...] = ()


def camera_pose(scene: Scene, state: SceneState, camera: Camera) -> Array:
    """World pose (7,) of the camera's OpenCV frame, wherever its parent link is."""
    local = np.array([*camera.position, *camera.orientation])
    if camera.parent is None:
        return local
    link = scene.robot.model.link_index(camera.parent)
    return compose(state.link_poses[link], local)


def stack_states(states: list[SceneState]) -> dict[str, NDArray[np.float64]]:
    """The states as arrays with time along the first axis, without contacts."""
    names = ("joint_positions", "joint_velocities", "link_poses", "body_poses", "body_velocities")
    arrays = {name: np.stack([getattr(s, name) for s in states]) for name in names}
    return arrays | {"time": np.array([s.time for s in states])}


def unstack_state(arrays: dict[str, NDArray[np.float64]], t: int) -> SceneState:
    """The state at row `t` of arrays made by `stack_states`, without contacts."""
    fields = {name: values[t] for name, values in arrays.items() if name != "time"}
    return SceneState(time=float(arrays["time"][t]), **fields)
