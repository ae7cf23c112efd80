"""What quotas of images and episodes may be over, beside the values that are drawn."""

import numpy as np

from simworld.datasets.labelled import LabelledImage
from simworld.datasets.store.episode import Episode
from simworld.envs.env import ManipulationEnv
from simworld.randomization.possible import Possible
from simworld.randomization.quotas.feature import Feature
from simworld.rendering.frame import Renderer

HELD, PLACED, LOST = "grasped", "in_box", "off_table"
"""Events and failures of a task that say what becomes of its object."""
_SOON = 0.4
"""Seconds after which what is not held again was dropped."""

Value = float | str | bool


def image_kinds(env: ManipulationEnv, cameras: tuple[str, ...], pixels: int) -> dict[str, Feature]:
    """What `image_features` may be, of images of so many pixels."""
    found = {"camera": Feature(str, cameras)}
    if env.config.scene.objects[0]:
        found |= {"occlusion": Feature(float, (0.0, 1.0)), "pixels": Feature(int, (0, pixels))}
        possible = Possible(env.config.scene, env.randomization)
        varies = "objects.count" in possible.space  # else there are always as many
        most = possible.most("objects.count") if varies else env.config.scene.objects[1]
        found["touching"] = Feature(bool, (False, True) if env.config.scene.bins or most > 1 else (False,))
    return found


def image_features(image: LabelledImage, renderer: Renderer) -> dict[str, Value]:
    """The name of the `camera`, and of the scene's first object where there is one:

    `occlusion` is the share of it within the image that something else hides (1 where none of it is in the image),
    `pixels` how many show it, and `touching` whether it touches another object or what things are put into.
    """
    scene, state, camera = image.moment.scene, image.moment.state, image.camera
    movable = [scene.instances[body.name] for body in scene.bodies if body.mass > 0]
    if not movable:
        return {"camera": camera.name}
    own = movable[0]
    amodal = renderer.render(scene, state, camera, ("amodal",)).amodal[own - 1]
    shown = int((image.frame.segmentation == own).sum())
    others = {*movable[1:], *(scene.instances[body.name] for body in scene.bodies if body.container)}
    touched = [{c.instance_a, c.instance_b} for c in state.contacts if c.normal_force > 0]
    return {
        "camera": camera.name,
        "occlusion": 1.0 - shown / max(int(np.count_nonzero(amodal)), 1),
        "pixels": shown,
        "touching": any(own in pair and pair & others for pair in touched),
    }


def episode_kinds(env: ManipulationEnv, steps: int) -> dict[str, Feature]:
    """What `episode_features` may be, of episodes of at most so many steps."""
    found = {"success": Feature(bool), "length": Feature(int, (1, steps))}
    told = {**env.task.events, **env.task.failures}
    named = {"dropped": HELD, "fallen": LOST}
    return found | {feature: Feature(bool) for feature, event in named.items() if event in told}


def episode_features(episode: Episode) -> dict[str, Value]:
    """`success`; `length` in steps; and where the task tells what becomes of its object, `dropped`, whether it was let
    go or lost and within 0.4 s was neither in the box, or at its goal, nor held again, and `fallen`, whether it left
    the table.
    """
    infos, length = episode.infos, len(episode.rewards)
    found: dict[str, Value] = {"success": bool(infos["is_success"][-1]), "length": length}
    if HELD in infos:
        # Fingers may lose their contact for a step or two without losing the object; of the last ones nobody knows.
        soon = round(_SOON * episode.environment["control_hz"])
        good = infos["is_success"] | infos[HELD] | infos.get(PLACED, np.zeros(length, dtype=bool))
        lost = np.flatnonzero(infos[HELD][:-1] & ~infos[HELD][1:]) + 1
        gone = infos.get(LOST, np.zeros(length, dtype=bool))
        found["dropped"] = any(
            not good[step : step + soon].any() and (step + soon <= length or bool(gone[step:].any())) for step in lost
        )
    if LOST in infos:
        found["fallen"] = bool(infos[LOST].any())
    return found
