"""Whether images that are drawn where a model errs are worth twice as many that are not.

For each seed a model learns from half of the images; another half is drawn for it, as `simworld images --for` does; and
a model that learns from both is compared with models that learn from as many images, and from twice as many, that are
drawn as was asked. All learn for as many steps, and are measured on the same images, of scenes of their own. What was
done is kept in the folder, and a stopped study goes on with the same command:

    python experiments/studies/focused.py --folder /tmp/focused
    python experiments/studies/focused.py --folder /tmp/smoke --images 60 --steps 30 --tests 20 --size 96x64 --seeds 1
"""

import argparse
from pathlib import Path
from typing import Any

from simworld.agents.focus_record import Focus
from simworld.engines.engine import make_engine
from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.cli.arguments import parse_size
from simworld.experiments.cli.console import note, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.focusing import focus_for
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.vision import MODEL, measure_model, train_model
from simworld.writing import write_json

ENV = "simworld/PlaceInBox-v0"
RESULTS = Path(__file__).parents[1] / "results" / "focused.json"
SEED, FURTHER = 500, 100
"""The seed of the images that all are measured on, those that are learnt from having the next ones; and how far from
these are those of focused images, which would share what is drawn alike with others of the same seed.
"""
HALF, FEW, FOCUSED, MANY = "half", "uniform", "focused", "twice as many, uniform"


class Study:
    """What is asked of the study, and where its images and models are."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.folder, self.asked = asked.folder, asked
        self.scenes: dict[str, Any] = {
            "randomization": asked.randomization,
            "policy": "none",
            "size": parse_size(asked.size),
        }

    def images(self, name: str, count: int, seed: int, focus: Any = None) -> Path:
        """A folder of images."""
        path: Path = self.folder / name
        note(f"{path}: {count} images")
        write_labelled_images(path, ENV, count=count, seed=seed, focus=focus, engine=make_engine(2), **self.scenes)
        return path

    def model(self, name: str, seed: int, *images: Path) -> Path:
        """A model that learns from some folders."""
        path: Path = self.folder / name
        note(f"{path}: {self.asked.steps} steps")
        size = self.scenes["size"]
        train_model(path, images, model=self.asked.model, size=size, steps=self.asked.steps, seed=seed)
        return path / MODEL

    def of_seed(self, k: int, tests: Path) -> tuple[list[dict[str, Any]], Focus]:
        """The figures of the models of a seed, and what was focused on."""
        count, seed, at = self.asked.images, SEED + 1 + k, f"seed{k}"
        half = self.images(f"{at}/half", count // 2, seed)
        few, many = (self.images(f"{at}/uniform{n}", n * count, seed) for n in (1, 2))
        first, rest = self.model(f"{at}/model_half", k, half), count - count // 2
        focus = focus_for(first, self.folder / f"{at}/focused", ENV, count=rest, **self.scenes)
        more = self.images(f"{at}/focused", rest, seed + FURTHER, focus)
        models = {
            HALF: first,
            FEW: self.model(f"{at}/model_few", k, few),
            FOCUSED: self.model(f"{at}/model_focused", k, half, more),
            MANY: self.model(f"{at}/model_many", k, many),
        }
        counts = {HALF: count // 2, FEW: count, FOCUSED: count, MANY: 2 * count}
        rows = [
            {"seed": k, "images": counts[name], "drawn": name, **figures(measure_model(path, tests))}
            for name, path in models.items()
        ]
        return rows, focus


def figures(found: dict[str, Any]) -> dict[str, float]:
    """What models are compared by: how much they find, how precisely, and the median error of positions."""
    told = {"recall": found["recall"], "box AP50": found["box"]["AP50"], "box AP": found["box"]["AP"]}
    if "position in cm" in found:
        told["position in cm"] = found["position in cm"]["median"]
    return {name: round(value, 4) for name, value in told.items()}


def main() -> None:
    asked = arguments()
    study = Study(asked)
    tests = study.images("tests", asked.tests, SEED)
    rows, focuses = list[dict[str, Any]](), list[Focus]()
    for k in range(asked.seeds):
        found, focus = study.of_seed(k, tests)
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
    return bool(found[FOCUSED] >= found[MANY])


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
