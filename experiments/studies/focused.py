"""Whether images that are drawn where a model errs are worth twice as many that are not.

For each seed a model learns from half of the images; another half is drawn for it, as `simworld images --for` does; and
a model that learns from both is compared with models that learn from as many images, and from twice as many, that are
drawn as was asked. All learn for as many steps, and are measured on the same images, of scenes of their own. What was
done is kept in the folder, and a stopped study goes on with the same command:

    python experiments/studies/focused.py --folder /tmp/focused
    python experiments/studies/focused.py --folder /tmp/smoke --images 60 --steps 30 --tests 20 --size 96x64 \\
        --seeds 1 --results /tmp/focused.json
"""

import argparse
from pathlib import Path
from typing import Any

from simworld.agents.curation.focus_record import Focus
from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.cli.arguments import parse_size
from simworld.experiments.cli.console import table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.vision.focusing import focus_for
from simworld.experiments.recipes.vision.testset import ENV
from simworld.experiments.recipes.vision.vision_models import measure_model
from simworld.experiments.studies.photo_real import POSITION, figures_of
from simworld.experiments.studies.study_folder import StudyFolder
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "focused.json"
SEED, FURTHER = 500, 100
"""The seed of the images that all are measured on, those that are learnt from having the next ones; and how far from
these are those of focused images, which would share what is drawn alike with others of the same seed.
"""
HALF, FEW, FOCUSED, MANY = "half", "uniform", "focused", "twice as many, uniform"


def of_seed(making: StudyFolder, asked: argparse.Namespace, k: int, tests: Path) -> tuple[list[dict[str, Any]], Focus]:
    """The figures of the models of a seed, and what was focused on."""
    count, drawn, seed, at = asked.images, asked.randomization, SEED + 1 + k, f"seed{k}"

    def model(name: str, *images: Path) -> Path:
        return making.model(f"{at}/model_{name}", images, model=asked.model, steps=asked.steps, seed=k)

    half = making.images(f"{at}/half", drawn, count // 2, seed)
    few, many = (making.images(f"{at}/uniform{n}", drawn, n * count, seed) for n in (1, 2))
    first, rest, folder = model("half", half), count - count // 2, making.folder / f"{at}/focused"
    focus = focus_for(first, folder, ENV, count=rest, randomization=drawn, policy="none", size=making.size)
    more = making.images(f"{at}/focused", drawn, rest, seed + FURTHER, focus=focus)
    models = {
        HALF: (count // 2, first),
        FEW: (count, model("few", few)),
        FOCUSED: (count, model("focused", half, more)),
        MANY: (2 * count, model("many", many)),
    }
    told = [
        {"seed": k, "images": learnt, "drawn": name, **figures(measure_model(path, tests))}
        for name, (learnt, path) in models.items()
    ]
    return told, focus


def figures(found: dict[str, Any]) -> dict[str, float]:
    """What models are compared by: how much they find, how precisely, and the median error of positions."""
    told = figures_of(found)
    return {name: told[name] for name in ("recall", "box AP50", "box AP", POSITION) if name in told}


def main() -> None:
    asked = arguments()
    making = StudyFolder(asked.folder, parse_size(asked.size))
    tests = making.images("tests", asked.randomization, asked.tests, SEED)
    rows, focuses = list[dict[str, Any]](), list[Focus]()
    for k in range(asked.seeds):
        found, focus = of_seed(making, asked, k, tests)
        rows += found
        focuses.append(focus)
    table("Images drawn where a model errs", list(rows[0]), [list(row.values()) for row in rows])
    wins = sum(reached(rows, k) for k in range(asked.seeds))
    bars = [Bar("seeds in which focused images reach twice as many uniform ones", float(wins), float(asked.seeds))]
    told = {name: str(value) for name, value in vars(asked).items() if name not in ("folder", "results")}
    focused = [[factor.model_dump(mode="json") for factor in focus.focused] for focus in focuses]
    content = {"asked": told, "models": rows, "focused": focused, "bars": [bar.to_dict() for bar in bars]}
    write_json(asked.results, content | {"machine": machine_description(), "versions": versions()})


def reached(rows: list[dict[str, Any]], seed: int) -> bool:
    """Whether, of a seed, the model of focused images has at least the AP50 of that of twice as many."""
    found = {row["drawn"]: row["box AP50"] for row in rows if row["seed"] == seed}
    return bool(found[FOCUSED] >= found[MANY] > 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where images and models are kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--images", type=int, default=1000, help="how many are focused, the first half not")
    parser.add_argument("--tests", type=int, default=500, help="images that models are measured on")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", default="224x160")
    parser.add_argument("--model", default="detector")
    parser.add_argument("--randomization", default="visual+views+rooms")
    return parser.parse_args()


if __name__ == "__main__":
    main()
