"""What was done elsewhere is done again in simulation, to see how far off that is."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from simworld.agents.reality.trace import Trace
from simworld.answering import AnsweringProcess
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.errors import ConfigurationError, DrawError
from simworld.randomization.randomization import Randomization

Float = NDArray[np.float64]

_COMPARED = {"position": 9, "joint_position": 9, "joint_effort": 45}
"""Kinds of what is observed that is compared, and over how many steps differences are averaged first: so noise counts
for little beside what parameters change, and of efforts, moving for less than holding."""
Differences = Mapping[str, Float]
"""How far off a trace is, by kind (steps, fields)."""
Values = Mapping[str, float]
"""Of factors, by address."""


class Repeat:
    """Traces that are done again in simulation, with other values of its factors."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = traces
        self._envs = {config: ManipulationEnv(config) for config in {trace.config for trace in traces}}
        self._parts = {config: compared(config) for config in self._envs}
        # Not as parameters of a reset, which are of what is there: some are of what was sealed, such as a pattern.
        self._known = [Randomization(trace.parameters) for trace in traces]

    def differences(self, values: Values) -> list[Differences]:
        """How far off each trace is with some values by address, in m, rad and N m.

        The mean over some steps, by the root mean square of a field's numbers; empty where it cannot have been so.
        """
        pairs = zip(self._traces, self._known, strict=True)
        return [self._differences(trace, known | values) for trace, known in pairs]

    def of_each(self, several: Sequence[Values]) -> list[list[Differences]]:
        """The differences with each of several such values."""
        return [self.differences(values) for values in several]

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs.values():
            env.close()

    def _differences(self, trace: Trace, randomization: Randomization) -> Differences:
        env = self._envs[trace.config]
        try:
            seen = [env.reset(seed=0, options={"randomization": randomization})[0]["observation"]]
        except DrawError:  # things would be within each other
            return {}
        seen += [env.step(action)[0]["observation"] for action in trace.actions]
        off = np.stack(seen).astype(np.float64) - trace.observations
        # What is the same in all of an episode is how its sensors are off, of which nobody knows.
        off -= np.median(off, axis=0)
        return {
            kind: np.stack([_averaged(off[:, part], _COMPARED[kind]) for part in parts], axis=-1)
            for kind, parts in self._parts[trace.config].items()
        }


class Repeats:
    """The same by so many `workers`, each a process of its own where there are several; what is found is the same."""

    def __init__(self, traces: Sequence[Trace], workers: int = 1) -> None:
        if workers < 1:
            raise ConfigurationError(f"workers: must be at least 1, got {workers}")
        self.kinds = {kind for trace in traces for kind in compared(trace.config)}
        self._here = Repeat(traces) if workers == 1 else None
        others = range(workers if workers > 1 else 0)
        self._others = [AnsweringProcess("does again what was done", _again, traces) for _ in others]

    def of_each(self, several: Sequence[Values]) -> list[list[Differences]]:
        """The differences with each of several values; after an error, close it."""
        if self._here is not None:
            return self._here.of_each(several)
        step = len(self._others)
        for k, process in enumerate(self._others):
            process.ask(several[k::step])
        found = [list[Differences]() for _ in several]
        for k, process in enumerate(self._others):
            found[k::step] = process.take()
        return found

    def close(self) -> None:
        """Close the environments, and end the processes."""
        if self._here is not None:
            self._here.close()
        for process in self._others:
            process.close()


def _again(traces: Sequence[Trace]) -> Callable[[Sequence[Values]], list[list[Differences]]]:
    return Repeat(traces).of_each


def compared(config: EnvConfig) -> dict[str, list[slice]]:
    """Which of the observed numbers are compared, by kind: the places of each field."""
    parts, begin = dict[str, list[slice]](), 0
    for field in config.fields:
        for kind, first, last in field.noise:
            if kind in _COMPARED:
                parts.setdefault(kind, []).append(slice(begin + first, begin + last))
        begin += field.size
    return parts


def _averaged(off: Float, steps: int) -> Float:
    """The root mean square (n,) of some numbers (T, numbers), each as its mean over some steps."""
    mean = sliding_window_view(off, min(steps, len(off)), axis=0).mean(-1)
    found: Float = np.sqrt((mean**2).mean(-1))
    return found
