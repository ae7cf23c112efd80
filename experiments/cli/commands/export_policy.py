"""`simworld export-policy`: a policy for programs that know nothing of torch."""

from pathlib import Path
from typing import Annotated

import typer

from simworld.experiments.cli.console import say
from simworld.extras import extras

commands = typer.Typer()


@commands.command("export-policy")
def export_policy(
    policy: Annotated[
        str, typer.Argument(metavar="POLICY", help="One that ships, a folder of `train`, or its .safetensors file.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")] = Path("policy.onnx"),
) -> None:
    """Write a policy as ONNX: observation, achieved_goal and desired_goal to the action."""
    with extras():
        from simworld.agents.network import NetworkPolicy
    from simworld.agents.policy import policy_file
    from simworld.agents.policy_export import export_policy

    found = NetworkPolicy.load(Path(policy_file(policy)))
    export_policy(found, out)
    interface = found.architecture.interface
    seen = interface.sizes["observation"]
    say(f"{out}: {interface.task} with {interface.robot}, {seen} observed numbers to an action of {interface.action}")
