"""How can be learnt, by name, and the settings of each."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simworld.documents import read_yaml
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, nearest

CLONING, VISUOMOTOR, DAGGER = "cloning", "visuomotor", "dagger"
OF_GOALS = "ddpg", "td3"
_IN_HINDSIGHT = "sac", "tqc"
OF_DEMONSTRATIONS = CLONING, VISUOMOTOR
ALGORITHMS = CLONING, VISUOMOTOR, DAGGER, *OF_GOALS, "ppo", *_IN_HINDSIGHT
_OPTIONS = {
    "algorithm",
    "demonstrations",
    "env_id",
    "folder",
    "options",
    "progress",
    "randomization",
    "reward",
    "tensorboard",
}
"""What is asked for beside settings."""


def asked_settings(file: Path | None, changes: Sequence[str], own: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a YAML file, of "NAME=VALUE" and of options, of which later ones win.

    ConfigurationError for what is no setting; what an algorithm makes of them, its settings say.
    """
    given: Any = {} if file is None else read_yaml(file, "the settings")
    if not (isinstance(given, dict) and all(isinstance(name, str) for name in given)):
        raise ConfigurationError(f"settings: {file} must be names and values, such as learning_rate: 0.0003")
    asked: dict[str, Any] = {**given, **dict(map(_setting, changes)), **own}
    if reserved := asked.keys() & _OPTIONS:
        raise ConfigurationError(f"settings: {min(reserved)} is an option of its own, not a setting")
    return asked


def check_algorithm(name: str) -> None:
    """Raise ConfigurationError unless it is one of ALGORITHMS."""
    if name not in ALGORITHMS:
        raise ConfigurationError(
            f"algorithm: must be one of {', '.join(ALGORITHMS)}, got {name!r}{nearest(name, ALGORITHMS)}"
        )


def settings_of(algorithm: str, config: EnvConfig, asked: Mapping[str, Any]) -> Any:
    """The settings of an algorithm that learns in environments of a configuration; ConfigurationError where wrong."""
    check_algorithm(algorithm)
    kind: Any
    own: dict[str, Any] = {"interface": config.interface}
    if algorithm == CLONING:
        from simworld.agents.imitation.cloning import CloningSettings as kind
    elif algorithm == VISUOMOTOR:
        from simworld.agents.learning.network_training import best_precision
        from simworld.agents.visuomotor.visuomotor_training import VisuomotorSettings as kind

        own |= {"cameras": config.cameras, "image_size": config.image_size}
        asked = {"precision": best_precision(), **asked}
    elif algorithm == DAGGER:
        from simworld.agents.imitation.dagger import DaggerSettings as kind
    elif algorithm in OF_GOALS:
        from simworld.agents.goals.goal_settings import GoalSettings, TwinSettings

        kind, own = next(one for one in (GoalSettings, TwinSettings) if one.algorithm == algorithm), {}
    else:
        from simworld.agents.reinforcement.training import ReinforcementSettings as kind

        own = {"algorithm": algorithm}
    names = kind.model_fields.keys() - own
    if unknown := sorted(asked.keys() - names):
        raise ConfigurationError(f"settings: {algorithm} has no {unknown[0]!r}{nearest(unknown[0], names)}")
    return kind(**own, **asked)


def check_learning(algorithm: str, config: EnvConfig, settings: Any) -> None:
    """Raise ConfigurationError where an algorithm cannot learn in environments of a configuration, with settings."""
    if algorithm in OF_GOALS:
        from simworld.agents.goals.goal_learning import check_goals

        check_goals(config, settings)
    elif algorithm == DAGGER:
        from simworld.agents.imitation.dagger import check_imitation

        check_imitation(config)
    elif algorithm in _IN_HINDSIGHT:
        from simworld.agents.reinforcement.training import check_hindsight

        check_hindsight(config, settings)


def varied_settings(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Settings and the values that each is to have, of "NAME=VALUE,VALUE"; ConfigurationError for what is none."""
    varied: dict[str, list[Any]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        if name in varied:
            raise ConfigurationError(f"--vary: {name} is there twice")
        varied[name] = _values(name, values)
    return varied


def _values(name: str, text: str) -> list[Any]:
    """Values between commas, as in a list of JSON, or else each as a setting's."""
    try:
        found: list[Any] = json.loads(f"[{text}]")
    except ValueError:
        found = []
    return found or [_setting(f"{name}={value}", "--vary")[1] for value in text.split(",")]


def _setting(text: str, option: str = "--set") -> tuple[str, Any]:
    """A setting from "NAME=VALUE", where the value is as in JSON, or else a word."""
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise ConfigurationError(f"{option}: must be NAME=VALUE, such as learning_rate=0.0003, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
