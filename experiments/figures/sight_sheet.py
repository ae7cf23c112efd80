"""The picture of docs/learning.md: what the policy that ships sees by its two cameras while it acts."""

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simworld.agents.networks.learnt import load_learnt
from simworld.agents.policy import policy_file
from simworld.agents.visuomotor.visuomotor_policy import VisuomotorPolicy
from simworld.experiments.recipes.environments import make_env

RESULTS = Path(__file__).parents[1] / "results"
POLICY, ENV_ID = "place_in_box_seen", "simworld/PlaceInBox-v0"
RANDOMIZATION = ["default", "unseen_looks", {"objects.count": 1}]
SEEDS, SHOWN, EVERY, ENLARGED = (2, 5, 8), 6, 9, 2


def main() -> None:
    """Write `sight.png`: for each seed a row by each camera."""
    policy = load_learnt(Path(policy_file(POLICY)))
    assert isinstance(policy, VisuomotorPolicy)
    sheet = np.concatenate([episode(policy, seed) for seed in SEEDS])
    larger = sheet.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    Image.fromarray(larger).save(RESULTS / "sight.png", optimize=True)


def episode(policy: VisuomotorPolicy, seed: int) -> NDArray[np.uint8]:
    """What each camera shows of an episode, from left to right; the last picture is that at its end."""
    shown = []
    with closing(make_env(ENV_ID, RANDOMIZATION, **policy.architecture.options())) as env:
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            shown.append(np.concatenate([observation[key] for key in policy.architecture.keys]))
            observation, _, terminated, truncated, _ = env.step(policy(observation))
            over = terminated or truncated
    last = np.concatenate([observation[key] for key in policy.architecture.keys])
    return np.concatenate([*shown[::EVERY][: SHOWN - 1], last], axis=1)


if __name__ == "__main__":
    main()
