"""The card of a policy: what it is, how it was learnt and how to use it, in Markdown."""

from collections.abc import Mapping
from typing import Any

from simworld.envs.config import EnvConfig


def policy_card(env_id: str, config: EnvConfig, record: Mapping[str, Any]) -> str:
    """What stands beside a policy that was learnt in an environment, of the record of its training."""
    rows = {
        "learnt by": f"`{record['algorithm']}`, in {record['seconds'] / 60:.1f} minutes",
        "for": f"robot {config.robot}, control {config.control} at {config.control_hz} Hz; another one is refused",
        "observes": "the state, of which it is told exactly where all things are",
    }
    if config.cameras:
        rows["observes"] = f"images by {', '.join(config.cameras)}, and what a robot knows of itself"
    if "best" in record:
        rows["best test"] = f"{record['best']['success']:.0%}, after {record['best']['step']} of {record['steps']}"
    if "transitions" in record:
        rows["learnt from"] = f"{record['transitions']} steps of the expert"
    rows["settings, curve"] = "training.json; what was asked for is in request.json"
    lines = [f"# A policy for {env_id}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    lines += ["", f"    simworld evaluate {env_id} --policy THIS_FOLDER --episodes 200"]
    lines += [f"    simworld robustness {env_id} --policy THIS_FOLDER --out card", ""]
    lines += ["How good it is, `evaluate` says: tests while learning chose it, and are no measure of it. It has acted"]
    lines += [
        "in simulation alone. `policy.safetensors` is weights and JSON, which run nothing when they are read.",
        "",
    ]
    return "\n".join(lines)
