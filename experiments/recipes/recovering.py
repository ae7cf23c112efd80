"""Recovery data: what the expert would have made of episodes that a policy lost."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from simworld.agents.collect import manipulation
from simworld.agents.imitation.recovery import lost_at, recoveries
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import KIND, read_episodes
from simworld.datasets.store.episodes import EpisodeReport, write_episodes
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import env_of
from simworld.experiments.recipes.rollouts import RolloutRequest
from simworld.experiments.recipes.source import PolicySource, acting

BEFORE = 10, 25, 50
"""Steps before an episode is lost at which the expert takes over."""


def write_recoveries(
    folder: Path,
    rollouts: Path,
    *,
    before: Sequence[int] = BEFORE,
    progress: Callable[[int], None] | None = None,
) -> EpisodeReport:
    """Write episodes in which the expert takes over those of a store that were lost, where it succeeds.

    It does so each of some steps `before` they were. The episodes are as those of `write_rollouts`, of the same seed
    and with numbers that come after theirs. `progress` is told how many that were lost are done. ConfigurationError
    where none was lost, or none is won.
    """
    if not before or not all(steps >= 1 for steps in before):
        raise ConfigurationError(f"before: must be whole numbers of steps, at least 1, got {[*before]}")
    asked, content = read_request(rollouts, KIND, RolloutRequest), content_digest(rollouts)
    won = list[Episode]()
    with closing(env_of(asked.environment)) as env:
        config = manipulation(env).config
        oracle, failures, lost = acting(PolicySource(), config), [*config.task.failures], 0
        for number, episode in enumerate(read_episodes(rollouts)):
            if (at := lost_at(episode, failures)) is not None:
                lost += 1
                first = asked.count + number * len(before)
                won += recoveries(env, oracle, episode, at, before, first)
                if progress is not None:
                    progress(lost)
    if not won:
        what = "none of them was lost" if lost == 0 else f"the expert succeeds in none of the {lost} that were lost"
        raise ConfigurationError(f"{rollouts}: {what}")
    request: dict[str, Any] = {
        "env_id": asked.env_id,
        "policy": "expert",
        "seed": asked.seed,
        "environment": asked.environment,
        "noise": 0.0,
        "recovered_sha256": content,
        "before": sorted({*before}),
    }
    return write_episodes(folder, request, len(won), won.__getitem__)
