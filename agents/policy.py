"""What acts: a Policy maps an observation to an action; every kind is loaded by one function."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simworld.agents.networks.stored import SUFFIX
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError, nearest, shown
from simworld.extras import extras
from simworld.reading import open_regular

if TYPE_CHECKING:
    from simworld.agents.networks.network import NetworkPolicy
    from simworld.agents.visuomotor.visuomotor_policy import VisuomotorPolicy
    from simworld.envs.config import EnvConfig

Float = NDArray[np.float32]

POLICY = "policy.safetensors"
"""What a training writes into its folder."""
_IN_CODE = "expert", "random"
_GIVEN = Path(__file__).parent / "given"
NOT_NORMALIZED = Path("none")
"""Instead of the file of VecNormalize's statistics: the model saw observations as they are."""


class Policy(Protocol):
    """A deterministic policy of the observation alone."""

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Float:
        """The action (size,) for the observation of one environment."""
        ...


class Seen(NamedTuple):
    """The state as it is observed: the observation (..., n), the achieved and the desired goal (..., goal_size)."""

    observation: Float
    achieved: Float
    desired: Float


def observed(observation: Any, interface: Interface) -> Seen:
    """The state in an observation of one environment; ConfigurationError if it is not there or of another size."""
    sizes = interface.sizes
    if not isinstance(observation, Mapping):
        raise ConfigurationError(f"observation: must be a mapping with {[*sizes]}, got {_form(observation)}")
    for name, size in sizes.items():
        if name not in observation:
            raise ConfigurationError(f"observation: {name!r} is missing; there is {sorted(observation)}")
        if np.shape(observation[name]) != (size,):
            raise ConfigurationError(
                f"observation: {name!r} of {interface.task} must be {size} numbers, those of one environment, "
                f"got {_form(observation[name])}"
            )
    return Seen(*(np.asarray(observation[name], dtype=np.float32) for name in sizes))


def checked_action(action: Any, size: int, seen: Seen, name: str) -> Float:
    """An action as it is; ConfigurationError that names the policy, or the observation, if it is not finite numbers.

    An observation that is not finite is to blame for an action that is not.
    """
    if np.shape(action) == (size,) and np.isfinite(action).all():
        return np.asarray(action)
    check_finite(seen)
    raise ConfigurationError(f"{name} cannot be used: its action must be {size} finite numbers, got {shown(action)}")


def check_finite(seen: Seen) -> None:
    """Raise ConfigurationError if an observation is not finite."""
    for part, values in zip(("observation", "achieved_goal", "desired_goal"), seen, strict=True):
        if not np.isfinite(values).all():
            raise ConfigurationError(f"observation: {part!r} must be finite, got {shown(values)}")


class RandomPolicy:
    """Uniform actions, each drawn by a generator that the observation seeds: no order of episodes changes any."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __call__(self, observation: Any) -> Float:
        """The action (size,) for the observation, of whatever form, of one environment."""
        parts = observation if isinstance(observation, Mapping) else {"": observation}
        if np.ndim(parts.get("observation", ())) != 1:
            raise ConfigurationError(f"observation: must be of one environment, got {_form(parts['observation'])}")
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(parts):
            digest.update(np.ascontiguousarray(parts[name]).tobytes())
        generator = np.random.default_rng(int.from_bytes(digest.digest()))
        return generator.uniform(-1, 1, self._size).astype(np.float32)


def load_policy(
    source: str, config: "EnvConfig", *, trust_pickle: bool = False, normalization: Path | None = None
) -> Policy:
    """The policy for environments of a configuration: "expert", "random", or the file, folder or name of a trained one.

    A stable-baselines3 .zip is loaded only with `trust_pickle`, as loading it runs whatever code is in it, and so does
    `normalization`, the file of VecNormalize's statistics that the model was trained with; NOT_NORMALIZED states that
    its observations were not normalized. A file for another interface, or none, raises ConfigurationError.
    """
    source = policy_file(source)
    path = Path(source)
    if path.suffix != ".zip" and (trust_pickle or normalization is not None):
        raise ConfigurationError(f"policy: only a stable-baselines3 .zip is trusted or normalized, got {source!r}")
    if source == "expert":
        from simworld.agents.experts import expert

        return expert(config)
    if source == "random":
        return RandomPolicy(config.interface.action)
    if path.suffix not in (SUFFIX, ".zip"):
        names = (*_IN_CODE, *given_policies())
        raise ConfigurationError(
            f"policy: must be one of {', '.join(names)}, a {SUFFIX} or .zip file or the folder of a training, got "
            f"{source!r}{nearest(source, names)}"
        )
    if path.suffix == SUFFIX:
        stored = _load_stored(source)
        if (wrong := stored.architecture.difference(config)) is not None:
            raise ConfigurationError(f"policy: {source} was trained for another environment: {wrong}")
        return stored
    _check_file(source)
    if not trust_pickle:
        raise ConfigurationError(
            f"policy: {source} is a stable-baselines3 model, and loading one runs any code that is in it; "
            "if you know where it comes from, ask for that with --trust-pickle (trust_pickle=True)"
        )
    with extras():
        from simworld.agents.reinforcement.baselines import load_baselines

    return load_baselines(path, config, normalization)


def given_policies() -> list[str]:
    """The names of the policies that ship, which are those of their tasks."""
    return sorted(path.stem for path in _GIVEN.glob(f"*{SUFFIX}"))


def policy_file(source: str) -> str:
    """The file of a policy that ships, by its name, or that the folder of its training holds; others as they are."""
    if source in ("", *_IN_CODE):
        return source
    if source in given_policies():
        return str(_GIVEN / f"{source}{SUFFIX}")
    return str(Path(source) / POLICY) if (Path(source) / POLICY).is_file() else source


def stored_options(source: str) -> dict[str, Any]:
    """Options of the environments that the policy of a file of ours is for; none for any other source."""
    source = policy_file(source)
    return _load_stored(source).architecture.options() if Path(source).suffix == SUFFIX else {}


def policy_digest(source: str) -> str | None:
    """SHA-256 of a policy's file; None for the policies that are code."""
    if source in _IN_CODE:
        return None
    source = policy_file(source)
    try:
        with open_regular(source) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"policy: cannot read {source}: {error.strerror or error}") from None


def _load_stored(source: str) -> "NetworkPolicy | VisuomotorPolicy":
    _check_file(source)
    with extras():
        from simworld.agents.networks.learnt import load_learnt
    return load_learnt(Path(source))


def _check_file(source: str) -> None:
    try:
        open_regular(source).close()
    except FileNotFoundError:
        raise ConfigurationError(f"policy: there is no file {source}") from None
    except OSError as error:
        raise ConfigurationError(f"policy: cannot read {source}: {error.strerror or error}") from None


def _form(value: Any) -> str:
    return f"{type(value).__name__} of shape {np.shape(value)}" if isinstance(value, np.ndarray) else repr(value)[:80]
