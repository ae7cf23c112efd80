"""What a simulation is to be like, found out from episodes of a world that it stands for."""

from collections.abc import Callable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from simworld.agents.reality.identification import IdentificationSettings, Identified, identify, possible_values
from simworld.agents.reality.trace import Trace
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.folder import OutputFolder, hidden
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.verify import content_digest
from simworld.errors import ConfigurationError
from simworld.experiments.machine import machine_description, versions
from simworld.randomization.files import as_yaml
from simworld.randomization.presets import as_randomization
from simworld.reading import read_json

IDENTIFIED, RANDOMIZATION = "identified.json", "randomization.yaml"
_SEARCH = hidden("search.jsonl")


def write_identification(
    folder: Path,
    rollouts: Sequence[Path],
    possible: str | Sequence[Any],
    *,
    episodes: int | None = None,
    settings: IdentificationSettings | None = None,
    margin: float = 0.05,
    progress: Callable[[int], None] | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Find the values of the factors of `possible`, and write `identified.json` and a `randomization.yaml` around them.

    `rollouts` are folders of episodes, as `write_rollouts` makes them, of which only the first `episodes` of each are
    taken, and never what they say of those factors. `margin`, `progress` and `workers` are as `identify` takes them.
    What is there already is read, and a search that was stopped goes on.
    """
    prior, settings = as_randomization(possible), settings or IdentificationSettings()
    if not 0 <= margin < 1:
        raise ConfigurationError(f"margin: must be from 0 to under 1, got {margin}")
    if episodes is not None and episodes < 1:
        raise ConfigurationError(f"episodes: must be at least 1, got {episodes}")
    if not rollouts:
        raise ConfigurationError("rollouts: name at least one folder of episodes")
    stored = chain.from_iterable(islice(read_episodes(store), episodes) for store in rollouts)
    traces = [Trace.of(episode, prior.by_address) for episode in stored]
    possible_values(traces, prior)
    request = {
        "kind": "identification",
        "rollouts_sha256": [content_digest(store) for store in rollouts],
        "episodes": episodes,
        "possible": prior.to_plain(),
        "settings": settings.model_dump(),
        "margin": margin,
    }
    with OutputFolder(folder, request, lambda name: name in (IDENTIFIED, RANDOMIZATION)) as out:
        if not out.has(IDENTIFIED, RANDOMIZATION):
            found = identify(traces, prior, settings, progress, out.path / _SEARCH, workers)
            out.write_bytes(RANDOMIZATION, as_yaml(found.randomization(margin).to_plain()))
            out.write_json(IDENTIFIED, _told(found, len(traces)))
        (out.path / _SEARCH).unlink(missing_ok=True)
        if not out.has(MANIFEST):
            out.finish()
    return read_json(folder / IDENTIFIED, dict[str, Any])


def _told(found: Identified, traces: int) -> dict[str, Any]:
    """What is kept of what was found, as JSON data."""
    estimates = {name: {"value": one.value, "interval": [*one.interval]} for name, one in found.estimates.items()}
    made_by = {"machine": machine_description(), "versions": versions()}
    return {"estimates": estimates, "scales": [*found.scales], "traces": traces, **made_by}
