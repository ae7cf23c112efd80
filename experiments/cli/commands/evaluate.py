"""`simworld evaluate`: how well a policy does."""

from typing import Annotated, Any

import typer

from simworld.experiments.cli.arguments import (
    Change,
    ControlName,
    EnvOrRun,
    Json,
    Normalization,
    Robot,
    TriedIn,
    TriedPolicy,
    TrustPickle,
    Variant,
    asked_randomization,
    env_options,
)
from simworld.experiments.cli.console import print_json, progress, table

commands = typer.Typer()


@commands.command()
def evaluate(
    env_id: EnvOrRun,
    variant: Variant,
    randomize: Change,
    policy: TriedPolicy = None,
    trust_pickle: TrustPickle = False,
    normalization: Normalization = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 100,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The first seed.")] = 0,
    randomization: TriedIn = None,
    robot: Robot = None,
    control: ControlName = None,
    as_json: Json = False,
) -> None:
    """Evaluate a policy on unseen seeds."""
    from simworld.experiments.recipes.learning.policies import evaluate_policy
    from simworld.experiments.recipes.trained import called, tried

    env, policy, varied = tried(env_id, policy, randomization)
    with progress("episodes", episodes) as tell:
        result = evaluate_policy(
            env,
            policy,
            trust_pickle=trust_pickle,
            normalization=normalization,
            episodes=episodes,
            first_seed=seed,
            randomization=asked_randomization(varied, randomize),
            options=env_options(robot, control, variant),
            progress=tell,
        )
    if as_json:
        print_json(result)
        return
    low, high = result["interval"]
    rows: list[list[Any]] = [
        ["success", f"{result['success_rate']:.1%} (95% interval {low:.1%} to {high:.1%})"],
        ["return", f"{result['mean_return']:.2f}"],
        ["length", f"{result['mean_length']:.1f} steps"],
        *([f"failed: {kind}", count] for kind, count in result["failures"].items()),
    ]
    table(f"{policy} on {called(env)}, {episodes} seeds", ["", ""], rows)
