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
    """Write a policy as ONNX: what it observes to the action."""
    with extras():
        from simworld.agents.networks.learnt import load_learnt
    from simworld.agents.networks.policy_export import export_policy
    from simworld.agents.policy import policy_file

    found = load_learnt(Path(policy_file(policy)))
    export_policy(found, out)
    interface = found.architecture.interface
    seen = interface.sizes["observation"]
    say(f"{out}: {interface.task} with {interface.robot}, {seen} observed numbers to an action of {interface.action}")
