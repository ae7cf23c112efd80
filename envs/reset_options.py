"""What `reset` may be told."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from simworld.distributions.values import addressed
from simworld.envs.options import whole_number
from simworld.envs.snapshot import Snapshot
from simworld.errors import ConfigurationError, is_misspelt, nearest, shown
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization


@dataclass(frozen=True)
class ResetOptions:
    """The episode's number, and what is not as the environment has it; or the instant at which it is to begin."""

    index: int | None
    randomization: Randomization | None
    parameters: Mapping[str, Any]
    snapshot: Snapshot | None


def reset_options(options: Mapping[str, Any] | None) -> ResetOptions:
    """The options of `reset`, checked; a wrong one raises ConfigurationError.

    One that looks like none of ours is for somebody else, a wrapper or another environment of a suite, and is left out.
    """
    if not isinstance(options, Mapping | None):
        raise ConfigurationError(f"reset options: must be a mapping, got {options!r}")
    given = dict(options or {})
    names = [field.name for field in fields(ResetOptions)]
    for name in given:
        if name not in names and is_misspelt(str(name), names):
            raise ConfigurationError(f"unknown reset option {name!r}{nearest(str(name), names)}")
    index, randomization, snapshot = given.get("index"), given.get("randomization"), given.get("snapshot")
    if snapshot is not None:
        if not isinstance(snapshot, Snapshot):
            raise ConfigurationError(f"reset option snapshot: must be what `snapshot()` gives, got {shown(snapshot)}")
        if also := [name for name in names if name != "snapshot" and given.get(name) is not None]:
            raise ConfigurationError(f"reset option {also[0]}: a snapshot says it; leave it out")
    return ResetOptions(
        None if index is None else whole_number("reset option index", index),
        None if randomization is None else as_randomization(randomization),
        addressed(given.get("parameters") or {}),
        snapshot,
    )
