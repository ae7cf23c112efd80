"""The card of a policy: what it is, how it was learnt and how to use it, in Markdown."""

from collections.abc import Mapping
from typing import Any

from simworld.envs.config import EnvConfig
from simworld.experiments.recipes.learning.algorithms import DAGGER, VISUOMOTOR


def policy_card(env_id: str, config: EnvConfig, record: Mapping[str, Any]) -> str:
    """What stands beside a policy that was learnt in an environment, of the record of its training."""
    algorithm, sees = record["algorithm"], "the state, of which it is told exactly where all things are"
    if algorithm == VISUOMOTOR:
        sees = f"images by {', '.join(config.cameras)}, and what a robot knows of itself"
    rows = {
        "learnt by": f"`{algorithm}`, in {record['seconds'] / 60:.1f} minutes",
        "for": f"robot {config.robot}, control {config.control} at {config.control_hz} Hz; another one is refused",
        "observes": sees,
        "in a world": "that varied in " + ", ".join(sorted({a.split(".")[0] for a in config.randomization})),
    }
    if not config.randomization:
        rows["in a world"] = "that was nominal"
    if "demonstrations" in record:
        rows["learnt from"] = f"{record['demonstrations']} episodes, {record['transitions']} steps, of an expert"
    if "best" in record:
        unit = "episodes" if algorithm == DAGGER else "steps"
        best = record["best"]
        rows["best test"] = f"{best['success']:.0%}, after {best['step']} of {record['steps']} {unit}"
    rows["settings, curve"] = "training.json; what was asked for is in request.json"
    lines = [f"# A policy for {env_id}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    lines += ["", "    simworld evaluate THIS_FOLDER --episodes 200"]
    lines += ["    simworld robustness THIS_FOLDER --out card", ""]
    lines += [
        "say how good it is in a world that varies as that did. `--randomization` and `--randomize` ask for another."
    ]
    if "best" in record:
        lines += ["Tests while learning chose it, and are no measure of it."]
    lines += [
        "It has acted in simulation alone. `policy.safetensors` is weights and JSON, which run nothing when read.",
        "",
    ]
    return "\n".join(lines)
