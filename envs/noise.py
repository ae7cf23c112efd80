"""Errors of what is observed: noise of every step and a bias of the episode, of the kinds that fields have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.geometry import Array, quat_product
from simworld.streams import Generator, Streams

_BLOCK = 50
"""Steps whose noise is drawn at once."""


class _Part(NamedTuple):
    """Numbers of one field that have errors of one kind: their place, deviations, and where the errors come from."""

    place: slice
    turned: bool
    noise: float
    bias: Array
    generator: Generator


class ObservationNoise:
    """Errors of the observed values of some fields in an episode, each field's from streams of its own."""

    def __init__(self, parameters: Mapping[str, Any], fields: Sequence[Field], streams: Streams) -> None:
        self._size = sum(field.size for field in fields)
        self._parts = list(_parts(parameters, fields, streams))
        self._turned = [part.place for part in self._parts if part.turned]
        self._step = 0

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values (n,) with their errors, which are put into the same array."""
        if not self._parts:
            return values
        row = self._step % _BLOCK
        if row == 0:
            self._draw()
        self._step += 1
        values += self._errors[row]
        for place, turns in zip(self._turned, self._turns, strict=True):
            x, y, z, w = quat_product(turns[row], values[place].tolist())
            values[place] = (x, y, z, w) if w >= 0 else (-x, -y, -z, -w)
        return values

    def _draw(self) -> None:
        """Draw the errors of the next steps: those that are added, and the quaternions that turn."""
        self._errors = np.zeros((_BLOCK, self._size))
        self._turns: list[list[list[float]]] = []
        for place, turned, noise, bias, generator in self._parts:
            errors = noise * generator.standard_normal((_BLOCK, len(bias))) + bias
            if turned:
                self._turns.append(_quaternions(errors).tolist())
            else:
                self._errors[:, place] = errors


def _parts(parameters: Mapping[str, Any], fields: Sequence[Field], streams: Streams) -> Iterator[_Part]:
    """What has errors; where both deviations are 0, nothing is drawn."""
    begin = 0
    for field in fields:
        for kind, first, last in field.noise:
            noise, bias = parameters[f"observation.noise.{kind}"], parameters[f"observation.bias.{kind}"]
            if noise == bias == 0:
                continue
            # A quaternion is turned about three axes.
            turned = kind == "orientation"
            name = f"{kind}.{field.name}"
            own = bias * streams(f"observation.bias.{name}").standard_normal(3 if turned else last - first)
            place = slice(begin + first, begin + last)
            yield _Part(place, turned, noise, own, streams(f"observation.noise.{name}"))
        begin += field.size


def _quaternions(vectors: Array) -> Array:
    """Quaternions (n, 4) of rotation vectors (n, 3)."""
    half = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True)) / 2
    return np.concatenate([0.5 * np.sinc(half / np.pi) * vectors, np.cos(half)], axis=1)
