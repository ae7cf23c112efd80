"""Recovery data: what the expert would have made of episodes that a policy lost."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from simworld.agents.imitation.dagger import check_imitation
from simworld.agents.imitation.recovery import lost_at, recoveries
from simworld.datasets.store.episode_reading import KIND, EpisodesRequest, read_episodes
from simworld.datasets.store.episodes import EpisodeReport, open_episodes
from simworld.datasets.store.growing import GrowingStore
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import env_of
from simworld.experiments.recipes.rollouts import RolloutRequest

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
    and with numbers that come after theirs. `progress` is told how many that were lost are done. Stopped, it goes on
    with what is not there yet. ConfigurationError where none was lost, or none is won.
    """
    steps = sorted({*before})
    if not steps or steps[0] < 1:
        raise ConfigurationError(f"before: must be whole numbers of steps, at least 1, got {[*before]}")
    asked = read_request(rollouts, KIND, RolloutRequest)
    request: dict[str, Any] = {
        "env_id": asked.env_id,
        "policy": "expert",
        "seed": asked.seed,
        "environment": asked.environment,
        "noise": 0.0,
        "recovered_sha256": content_digest(rollouts),
        "before": steps,
    }
    if (folder / MANIFEST).exists():
        count = read_request(folder, KIND, EpisodesRequest).count
        with open_episodes(folder, request, count, shard=1):
            return EpisodeReport(folder, asked.seed, count, 0)
    config = EnvConfig(**asked.environment)
    lost, first = _lost(rollouts, config)
    oracle = check_imitation(config)
    with closing(env_of(asked.environment)) as env, GrowingStore(folder, request) as out:
        begun, won, done = len(out), 0, 0
        for number, episode in enumerate(read_episodes(rollouts)):
            if number not in lost:
                continue
            for found in recoveries(env, oracle, episode, lost[number], steps, first + done * len(steps)):
                won += 1
                if won > begun:  # the others are there
                    out.append(found)
            done += 1
            if progress is not None:
                progress(done)
    if not won:
        raise ConfigurationError(f"{rollouts}: the expert succeeds in none of the {len(lost)} that were lost")
    return EpisodeReport(folder, asked.seed, won, won - begun)


def _lost(rollouts: Path, config: EnvConfig) -> tuple[dict[int, int], int]:
    """When the episodes that were lost were, by where they stand in a store, and the first number that none has.

    ConfigurationError where none was lost.
    """
    lost, first = dict[int, int](), 0
    for place, episode in enumerate(read_episodes(rollouts)):
        first = max(first, episode.index + 1)
        if (at := lost_at(episode, [*config.task.failures])) is not None:
            lost[place] = at
    if not lost:
        raise ConfigurationError(f"{rollouts}: none of its episodes was lost")
    return lost, first
