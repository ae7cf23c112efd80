"""How far things sink into each other where the hand presses, pushes and squeezes them, over all masses that may be.

Each case is done to an object of its mass and kind: `press`, the closed gripper pressed on it from above at full speed;
`push`, the closed gripper pushes it against the box; `grasp`, the expert grasps it and holds it for 2 s, in which it
may slip. Penetration is the deepest contact of what the hand touches, in millimetres, and for cuboids, independently,
how deep corners are inside of the fingers, the object or the table, by the poses alone. Run with `make bench`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped_task
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import make_env
from simworld.geometry import Array, compose, invert, transform_points
from simworld.scene.model import Box
from simworld.writing import write_json

SEEDS = 4
MASS = shipped_task("place_in_box").scene.space["objects.*.mass"]
MASSES = (MASS.low, 0.05, 0.1, 0.3, 1.0, MASS.high)
ROUGHEST = shipped_task("place_in_box").scene.space["objects.*.friction"].high
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "none": ("none", {}),
    "default": ("default", {}),
    "full": ("full", {}),
    "small": ("none", dict.fromkeys(("objects.0.width", "objects.0.depth", "objects.0.height"), 0.02)),
    "large": ("none", dict.fromkeys(("objects.0.width", "objects.0.depth", "objects.0.height"), 0.065)),
    "slippery": ("none", {"objects.0.friction": 0.2, "robot.finger_friction": 0.3}),
    "rough": ("none", {"objects.0.friction": ROUGHEST, "robot.finger_friction": ROUGHEST, "table.friction": ROUGHEST}),
    "strong": ("none", {"robot.strength": 2.0, "robot.gain": 2.0, "robot.grip": 1.5}),
    "weak": ("none", {"robot.strength": 0.7, "robot.gain": 0.3, "robot.grip": 0.3}),
}
RESULTS = Path(__file__).parents[1] / "results" / "contacts.json"

FINGER_BOXES = (((0.0, 0.005, 0.0438), (0.01, 0.005, 0.01)), ((0.0, 0.017, 0.017), (0.01, 0.007, 0.017)))
"""Centre and half extents of the left finger's boxes in its link's frame; the right one's are mirrored in y."""
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)


def main() -> None:
    rows: list[dict[str, Any]] = []
    with progress("contacts", 3 * len(VARIANTS)) as tell:
        for done, (what, variant) in enumerate((w, v) for w in ("press", "push", "grasp") for v in VARIANTS):
            rows += measure(what, variant)
            tell(done + 1)
    table("Contacts of the hand", list(rows[0]), [list(row.values()) for row in rows])
    deep = [row["deepest mm"] for row in rows]
    summary = {"deepest mm": max(deep), "median of deepest mm": round(float(np.median(deep)), 2)}
    summary["lost"] = sum(row["lost"] for row in rows)
    write_json(RESULTS, {"summary": summary, "rows": rows, "machine": machine_description(), "versions": versions()})


def measure(what: str, variant: str, seeds: Sequence[int] = range(SEEDS)) -> Iterator[dict[str, Any]]:
    """A row for each mass: penetrations, objects that left the table, and slip of those that were held."""
    preset, parameters = VARIANTS[variant]
    env_id = "simworld/PickAndPlace-v0" if what == "grasp" else "simworld/PlaceInBox-v0"
    with closing(make_env(env_id, preset)) as made:
        env = manipulation(made)
        for mass in MASSES:
            runs = []
            for seed in seeds:
                observation, _ = env.reset(seed=seed, options={"parameters": {**parameters, "objects.0.mass": mass}})
                runs.append(_DO[what](_Watch(env), observation))
            yield {"what": what, "variant": variant, "mass kg": mass, **_summary(runs)}


def _summary(runs: Sequence["_Watch"]) -> dict[str, Any]:
    slips = [run.slip for run in runs if run.slip is not None]
    return {
        "deepest mm": round(1e3 * max(run.deepest for run in runs), 2),
        "median mm": round(1e3 * float(np.median([run.deepest for run in runs])), 2),
        "by poses mm": round(1e3 * max(run.by_poses for run in runs), 2),
        "lost": sum(run.lost for run in runs),
        "slip mm": round(1e3 * max(slips), 2) if slips else None,
    }


class _Watch:
    """Steps an environment and keeps how deep its contacts are."""

    def __init__(self, env: ManipulationEnv) -> None:
        self.env, self.deepest, self.by_poses = env, 0.0, 0.0
        self.slip: float | None = None
        self._shape = env.sample.scene.bodies[env.sample.scene.body_index("object")].parts[0].shape

    def step(self, action: Any) -> tuple[Any, dict[str, Any]]:
        observation, *_, info = self.env.unwrapped.step(np.asarray(action, dtype=np.float32))
        contacts = self.env.world.contacts("object")
        if any(contact.instance_b == 1 for contact in contacts):
            self.deepest = max([self.deepest, *(-contact.distance for contact in contacts)])
            if isinstance(self._shape, Box):
                self.by_poses = max(self.by_poses, self._overlap(self._shape))
        return observation, info

    def towards(self, target: Sequence[float]) -> None:
        ahead = np.clip((np.array(target) - self.env.world.tool_pose()[:3]) / 0.04, -1, 1)
        self.step([*ahead, -1.0])

    @property
    def object(self) -> Array:
        return self.env.world.body_pose("object")

    @property
    def lost(self) -> bool:
        return bool(self.object[2] < -0.05)

    def _overlap(self, shape: Box) -> float:
        """How deep a corner of one of the boxes is inside another, or under the table."""
        world = self.env.world.state()
        half, model = np.array(shape.half_extents), self.env.world.model
        corners = transform_points(self.object, _CORNERS * half)
        deepest = float(-corners[:, 2].min()) if abs(self.object[0] + 0.3) < 0.5 and self.object[2] > -0.05 else 0.0
        for name, side in zip(model.gripper.fingers, (1.0, -1.0), strict=True):
            link = world.link_poses[model.link_index(name)]
            for center, size in FINGER_BOXES:
                frame = compose(link, [center[0], side * center[1], center[2], 0.0, 0.0, 0.0, 1.0])
                own = transform_points(frame, _CORNERS * np.array(size))
                for points, into, extent in ((own, self.object, half), (corners, frame, np.array(size))):
                    inside = (extent - np.abs(transform_points(invert(into), points))).min(axis=1)
                    deepest = max(deepest, float(inside.max()))
        return deepest


def _press(watch: _Watch, observation: Any) -> _Watch:
    x, y, z = watch.object[:3].tolist()
    for height, steps in ((z + 0.12, 25), (-0.05, 35)):
        for _ in range(steps):
            watch.towards((x, y, height))
    return watch


def _push(watch: _Watch, observation: Any) -> _Watch:
    body = watch.env.sample.scene.bodies[watch.env.sample.scene.body_index("box")]
    place, box = watch.object[:2], np.array(body.position[:2])
    along = (box - place) / np.linalg.norm(box - place)
    behind, ahead = place - 0.07 * along, place + 0.6 * along
    for target, steps in (((*behind, 0.12), 30), ((*behind, 0.025), 15), ((*ahead, 0.025), 45)):
        for _ in range(steps):
            watch.towards(target)
    return watch


def _grasp(watch: _Watch, observation: Any) -> _Watch:
    policy, held = expert(watch.env.config), 0
    for _ in range(90):
        observation, info = watch.step(policy(observation))
        held = held + 1 if info["events"]["grasped"] and watch.object[2] > 0.05 else 0
        if held > 12:
            break
    for _ in range(10):
        watch.step(np.zeros(4))
    before = compose(invert(watch.env.world.tool_pose()), watch.object)
    kept = held > 12
    for _ in range(50):
        _, info = watch.step(np.zeros(4))
        kept = kept and info["events"]["grasped"]
    if kept:
        after = compose(invert(watch.env.world.tool_pose()), watch.object)
        watch.slip = float(np.linalg.norm((after - before)[:3]))
    return watch


_DO = {"press": _press, "push": _push, "grasp": _grasp}


if __name__ == "__main__":
    main()
