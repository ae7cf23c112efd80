"""Policies evaluated."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simworld.experiments.recipes.environments import as_plain, config_of, env_of
from simworld.experiments.recipes.source import PolicySource, acting
from simworld.experiments.recipes.trained import Trained, called


def evaluate_policy(
    env_id: str | Trained,
    policy: str,
    *,
    trust_pickle: bool = False,
    normalization: Path | None = None,
    episodes: int = 100,
    first_seed: int = 0,
    randomization: str | Sequence[Any] = "default",
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Evaluate a policy, loaded by `load_policy`, on the seeds from first_seed on: the summary as plain data.

    What `options` do not say of the environment, such as its robot, the file of a trained policy does.
    """
    from simworld.agents.evaluation.evaluation import evaluate

    source = PolicySource(policy, trust_pickle, normalization)
    config = config_of(env_id, randomization=randomization, **source.with_its_own(options))
    act = acting(source, config)
    with closing(env_of(as_plain(config))) as env:
        result = evaluate(act, env, range(first_seed, first_seed + episodes), progress)
    about: dict[str, Any] = {
        "env_id": called(env_id),
        "robot": config.robot,
        "control": config.control,
        "randomization": randomization,
    }
    about |= {"policy": policy, "first_seed": first_seed}
    return about | result.to_dict()
