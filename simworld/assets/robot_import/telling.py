"""What an import says that it did."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simworld.assets.robot_import.colliders import Collider, ColliderBox
from simworld.assets.robot_import.found_gripper import Grip
from simworld.assets.robot_import.link_masses import Link, joined
from simworld.assets.robot_import.posture import Posture
from simworld.assets.urdf import Joint


class Done(NamedTuple):
    """Something that was done to a part of the robot."""

    what: str
    part: str
    how: str


def of_links(links: Mapping[str, Link], touching: Mapping[str, Sequence[Collider]]) -> list[Done]:
    """What became of what is seen of links, and of what collides."""
    done = []
    for name, link in links.items():
        if (seen := joined(link.visuals)) is not None:
            done.append(Done("drawn", name, f"{len(seen.triangles):,} triangles"))
        if name in touching:
            kinds = ["a box" if isinstance(collider, ColliderBox) else "a hull" for collider in touching[name]]
            done.append(Done("collides", name, f"as {' and '.join(kinds)}"))
        elif link.collisions:
            done.append(Done("dropped", name, "its colliders: it gets near nothing"))
    return done


def of_guesses(arm: Sequence[Joint], grip: Grip, stance: Posture) -> list[Done]:
    """What was guessed."""
    most = max(opening for _, opening in grip.opening)
    led = [joint.name for joint in grip.joints if joint.mimic and joint.mimic.joint == grip.driver.name]
    x, y, z = grip.tool[:3, 3].tolist()
    return [
        Done("guessed", "arm", ", ".join(joint.name for joint in arm)),
        Done("guessed", "gripper", f"{grip.driver.name} drives {', '.join(led) or 'nothing else'}"),
        Done("guessed", "fingers", f"{' and '.join(grip.fingers)}, {1000 * most:.0f} mm apart when open"),
        Done("guessed", "tool", f"{x:.3f} {y:.3f} {z:.3f} on {grip.hand}"),
        Done("guessed", "base", f"{stance.base[0]:g} {stance.base[1]:g} {stance.base[2]:g}"),
        Done("guessed", "rest", f"fingers down; {stance.reached:.0%} of the tasks' places are reached so"),
    ]
