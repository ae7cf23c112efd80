"""`simworld experiment`: what is learnt where, measured, by one command each."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from simworld.errors import ConfigurationError
from simworld.experiments.cli.arguments import Workers
from simworld.experiments.cli.console import progress, table

AFTER_INTERRUPT = "; what was finished is intact, and the same command goes on as `train` does"

commands = typer.Typer()
experiments = typer.Typer(no_args_is_help=True, help="What is learnt where, how well, and how long it takes.")
commands.add_typer(experiments, name="experiment", context_settings={"obj": AFTER_INTERRUPT})

Name = Annotated[str, typer.Argument(metavar="NAME", help="One that `simworld experiment list` shows, or a YAML file.")]
Results = Annotated[list[Path], typer.Argument(metavar="RESULTS", help="Files of results that `run` wrote.")]
Seeds = Annotated[
    list[int],
    typer.Option(
        min=0,
        max=1_000_000,
        default_factory=list,
        show_default="those of the experiment",
        help="A seed of the training; may be repeated.",
    ),
]
Runs = Annotated[Path, typer.Option("--out", help="The folder to write; what was finished is not learnt again.")]


@experiments.command("list")
def listed() -> None:
    """List the experiments that ship, and what each is to reach."""
    from simworld.experiments.recipes.contract import contract_names, find_contract

    rows: list[list[Any]] = []
    for name in contract_names():
        one = find_contract(name)
        rows.append([name, one.in_words(), f">= {one.success:.0%}", f"<= {one.minutes:g}"])
    table("Experiments", ["name", "what is learnt, randomized how", "success", "minutes"], rows)


@experiments.command()
def run(
    name: Name,
    out: Runs,
    seed: Seeds,
    results: Annotated[
        Path | None, typer.Option(show_default="results.json in the folder", help="The file of results to add to.")
    ] = None,
) -> None:
    """Learn, measure on seeds not seen, and add a row for each seed to a file of results."""
    from simworld.experiments.recipes.contract import find_contract
    from simworld.experiments.recipes.learning.learning_results import add_row, check_results

    contract, called, file = find_contract(name), Path(name).stem, results or out / "results.json"
    check_results(file, called, contract)
    found: dict[str, Any] = {}
    for each in seed or contract.seeds:
        found = add_row(file, called, contract, each, _row(called, contract, out, each))
    _show(found)


@experiments.command()
def sweep(
    name: Name,
    out: Runs,
    vary: Annotated[
        list[str],
        typer.Option(metavar="NAME=VALUE,VALUE", help="A setting and the values it is to have; may be repeated."),
    ],
    seed: Seeds,
    workers: Workers = 1,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Workers of this cluster of Ray; `local` is this machine.")
    ] = None,
) -> None:
    """Learn with every combination of some settings, and show them with the best first."""
    from simworld.engines.engine import make_engine
    from simworld.experiments.recipes.contract import find_contract
    from simworld.experiments.recipes.learning.algorithms import varied_settings
    from simworld.experiments.recipes.learning.sweeping import write_sweep

    contract, varied = find_contract(name), varied_settings(vary)
    with progress("trainings", None) as tell:
        engine = make_engine(workers, ray)
        rows = write_sweep(out, contract, varied, seeds=seed or None, engine=engine, progress=tell)
    shown: list[list[Any]] = []
    for row in rows:
        rates = ", ".join(f"{each['success_rate']:.0%}" for each in row["seeds"].values())
        minutes = max((each["minutes"] for each in row["seeds"].values() if each["minutes"]), default=math.nan)
        shown.append([*row["settings"].values(), f"{row['worst']:.0%}", rates, f"{minutes:.1f}"])
    table(f"{Path(name).stem}, varied", [*varied, "worst", "success of each seed", "minutes"], shown)


@experiments.command()
def compare(results: Results) -> None:
    """Show what is in files of results: the worst of the seeds of each experiment beside what it is to reach."""
    from simworld.experiments.recipes.learning.learning_results import read_results

    for path in results:
        _show(read_results(path))


@commands.command("check-learns", context_settings={"obj": AFTER_INTERRUPT})
def check_learns(
    out: Runs,
    name: Annotated[
        list[str],
        typer.Option(metavar="NAME", default_factory=list, show_default="all", help="An experiment; may be repeated."),
    ],
) -> None:
    """See whether anything is learnt: a short run of one seed of each experiment that has one, some minutes each.

    What is in the folder already is not learnt again.
    """
    from simworld.experiments.recipes.contract import contract_names, find_contract

    asked = [(Path(each).stem, find_contract(each)) for each in name or contract_names()]
    chosen = [(each, found.quickly()) for each, found in asked if name or found.quick_success is not None]
    for _, contract in chosen:
        contract.check()
    rows: list[list[Any]] = []
    missed = []
    for each, contract in chosen:
        row = _row(each, contract, out, contract.seeds[0])
        rate = row["success_rate"]
        rows.append([each, f"{rate:.0%}", f"{contract.success:.0%}", f"{row['minutes']:.1f}"])
        missed += [each] if rate < contract.success else []
    table("Learnt", ["experiment", "success", "at least", "minutes"], rows)
    if missed:
        raise ConfigurationError(f"too little is learnt of {', '.join(missed)}")


def _row(name: str, contract: Any, out: Path, seed: int) -> dict[str, Any]:
    from simworld.experiments.recipes.contract import run_contract

    with _steps(f"{name}, seed {seed}") as tell:
        return run_contract(contract, out / name / f"seed{seed}", seed, tell)


@contextmanager
def _steps(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """One progress bar for what is done one after the other."""
    with progress(name, None) as tell:
        yield lambda what, done, of: tell(done, of, f"{name}: {what}")


def _show(found: dict[str, Any]) -> None:
    rows = []
    for bar in found["bars"]:
        sign = "<=" if bar["rule"] == "at most" else ">="
        met = "so far" if bar["met"] is None else "yes" if bar["met"] else "no"
        rows.append([bar["what"], f"{bar['measured']:g}", f"{sign} {bar['bar']:g}", met])
    table("Learnt", ["", "measured", "wanted", "met"], rows)
