"""Episodes of arbitrary numbers, and a dataset of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.datasets.store.contacts import pack_contacts
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episodes import write_episodes
from simworld.distributions.univariate import Uniform
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.scene.state import Contact
from simworld.streams import Streams

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))
COUNT, SHARD = 5, 2
REQUEST = {"seed": 3}
BOX = {"type": "Box", "dtype": "float32", "shape": [4], "low": -1.0, "high": 1.0}
PICTURE = {"type": "Box", "dtype": "uint8", "shape": [3, 2, 3], "low": 0, "high": 255}
STATE = ("observation", "achieved_goal", "desired_goal")
SPACE = {"type": "Dict", "subspaces": {**dict.fromkeys(STATE, BOX), "front_rgb": PICTURE}}


def episode(number: int, expert: bool = True) -> Episode:
    """An episode of arbitrary numbers in a sampled scene."""
    spec = replace(IN_BOX, factors={"objects.*.position.y": Uniform(-0.25, 0.0)})
    streams = Streams(3, number)
    sample = sample_scene(spec, DEFAULT, streams)
    draw, steps, bodies = streams("numbers"), 4 + number, len(sample.scene.bodies)
    shapes = {"joint_positions": (9,), "joint_velocities": (9,), "link_poses": (10, 7), "body_poses": (bodies, 7)}
    shapes |= {"body_velocities": (bodies, 6), "time": ()}

    def numbers(*shape: int) -> Any:
        return draw.standard_normal(shape).astype(np.float32)

    def contacts(instant: int) -> list[Contact]:
        return [Contact(1, 2 + i, i - 1, -1, *draw.random(2).tolist(), tuple(draw.random(3))) for i in range(instant)]

    pictures = draw.integers(0, 256, (steps + 1, 3, 2, 3), dtype=np.uint8)
    return Episode(
        seed=3,
        index=number,
        scene_json=sample.scene.to_json(),
        parameters=sample.parameters,
        observations={name: numbers(steps + 1, 4) for name in STATE} | {"front_rgb": pictures},
        actions=numbers(steps, 4),
        rewards=numbers(steps),
        terminations=np.arange(steps) == steps - 1,
        truncations=np.zeros(steps, dtype=bool),
        infos={
            "is_success": np.arange(steps) == steps - 1,
            "failure": np.array(["", "off the table"] + [""] * (steps - 2)),
            "distance": np.arange(steps),
        },
        states={name: draw.standard_normal((steps + 1, *shape)) for name, shape in shapes.items()},
        contacts=pack_contacts([contacts(instant % 3) for instant in range(steps + 1)]),
        environment={"id": "simworld/PlaceInBox-v0", "kwargs": {"task": {"name": "mine"}}},
        observation_space=SPACE,
        action_space=BOX,
        instruction="put the dückchen in the box",
        expert_actions=numbers(steps, 4) if expert else None,
    )


def write(path: Path, make: Callable[[int], Episode] = episode) -> int:
    return write_episodes(path, REQUEST, COUNT, make, SHARD).made
