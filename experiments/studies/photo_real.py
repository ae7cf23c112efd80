"""How good models are on path-traced images of a world that they have not seen, and how long it takes from nothing.

Each part makes its images and learns from them, for each seed, and things are picked where a model of poses sees them.
What was done is kept in the folder, a stopped study goes on with the same command, and each seed adds its row to the
results:

    python experiments/studies/photo_real.py --folder /tmp/photo_real --part detection --seed 0
    python experiments/studies/photo_real.py --folder /tmp/smoke --part pose --images 40 --steps 20 --tests 4 \\
        --episodes 2 --results /tmp/photo_real.json
"""

import argparse
import math
from pathlib import Path
from typing import Any, NamedTuple

from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.cli.arguments import parse_size
from simworld.experiments.cli.console import table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.vision.vision_models import measure_model
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.experiments.studies.study_folder import StudyFolder
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "photo_real.json"
TRIPOD, KNOWN = "tripod+household", {"objects.*.seed": 0}
MIXED = ("visual+rooms", "visual+rooms+natural")
"""Any look at all, and what is usual."""
POSITION, SPREAD, ADD_S = "position in cm", "position in cm, 90%", "ADD-S under 10% of the diameter"
PICKED = "picked of 100"


class _Part(NamedTuple):
    """What is learnt of which images, of half of `images` of each of the `looks`, and what it is to reach.

    Images have the seeds from `first` on, ten for each seed of the study. What goes on `after` another part begins with
    its model, learns from its images too, and has its minutes in its own. What is to `fail` must not be better than its
    bars by any seed.
    """

    model: str
    images: int
    steps: int
    minutes: float
    first: int
    bars: dict[str, float]
    looks: tuple[str, ...] = MIXED
    known: bool = False
    fail: bool = False
    after: str | None = None


PROOFS = {
    "position": _Part("detector", 5000, 7500, 45, 1000, {POSITION: 1.0, SPREAD: 2.0}),
    "detection": _Part("detector", 5000, 7500, 90, 2000, {"box AP50": 0.9, "mask AP50": 0.85}, after="position"),
    "position without randomization": _Part(
        "detector", 5000, 7500, 45, 3000, {POSITION: 1.0}, looks=("none",), fail=True
    ),
    "pose": _Part("pose", 4000, 6000, 90, 4000, {ADD_S: 0.85, PICKED: 90}, known=True),
}


class _Learnt(NamedTuple):
    """A model, and the names of all images and models in the folder that it took."""

    model: Path
    images: tuple[str, ...]
    models: tuple[str, ...]


def main() -> None:
    asked = arguments()
    parts = {
        name: part._replace(images=asked.images or part.images, steps=asked.steps or part.steps)
        for name, part in PROOFS.items()
    }
    part = parts[asked.part]
    settings = {"images": part.images, "steps": part.steps, "tests": asked.tests, "size": asked.size}
    if PICKED in part.bars:
        settings["episodes"] = asked.episodes
    kept = [row for row in kept_rows(asked.results) if (row["part"], row["seed"]) != (asked.part, asked.seed)]
    check_alike(asked.results, (row for row in kept if row["part"] == asked.part), settings)
    making = StudyFolder(asked.folder, parse_size(asked.size))
    figures = of_seed(making, parts, asked.part, asked.seed, asked.tests, asked.episodes)
    row = {"part": asked.part, "seed": asked.seed, **settings, **figures}
    row |= {"machine": machine_description(), "versions": versions()}
    rows = sorted([row, *kept], key=lambda each: (each["part"], each["seed"]))
    write_json(asked.results, {"rows": rows})
    write_json(asked.results, {"rows": rows, "bars": bars(rows)})
    told = [[name, value] for name, value in row.items() if isinstance(value, int | float | str)]
    table("On path-traced images of a world not seen", ["figure", "measured"], told)


def of_seed(
    making: StudyFolder, parts: dict[str, _Part], name: str, seed: int, tests: int, episodes: int
) -> dict[str, Any]:
    """The figures of a part's model of a seed, and how long it took from nothing."""
    learnt, part = learn(making, parts, name, seed), parts[name]
    figures = {
        "minutes of rendering": round(making.minutes(*learnt.images), 1),
        "minutes": round(making.minutes(*learnt.images, *learnt.models), 1),
    }
    tested = making.testset("known" if part.known else "testset", tests, part.known)
    figures |= figures_of(measure_model(learnt.model, tested))
    if PICKED in part.bars:
        figures |= picked(making.picks(f"{_at(name, seed)}/picks", learnt.model, episodes))
    return figures


def learn(making: StudyFolder, parts: dict[str, _Part], name: str, seed: int) -> _Learnt:
    """The model of a part, after that which it goes on from."""
    part, at = parts[name], _at(name, seed)
    before = learn(making, parts, part.after, seed) if part.after else None
    own = []
    for k, look in enumerate(part.looks):
        randomization = [f"{look}+{TRIPOD}", *([KNOWN] if part.known else [])]
        own.append(f"{at}/images{k}")
        making.images(own[-1], randomization, part.images // len(part.looks), part.first + 10 * seed + k)
    images = (*own, *(before.images if before else ()))
    begun: dict[str, Any] = {"start": before.model} if before else {"model": part.model}
    folders = [making.folder / each for each in images]
    model = making.model(f"{at}/model", folders, steps=part.steps, seed=seed, **begun)
    return _Learnt(model, images, (f"{at}/model", *(before.models if before else ())))


def _at(name: str, seed: int) -> str:
    """Where a part of a seed is in the folder."""
    return f"{name.replace(' ', '_')}{seed}"


def figures_of(found: dict[str, Any]) -> dict[str, Any]:
    """What is told of a model."""
    told = {"recall": found["recall"], "box AP50": found["box"]["AP50"], "box AP": found["box"]["AP"]}
    if "mask" in found:
        told |= {"mask AP50": found["mask"]["AP50"], "mask AP": found["mask"]["AP"]}
    if POSITION in found:
        told |= {POSITION: found[POSITION]["median"], SPREAD: found[POSITION]["90%"]}
    if ADD_S in found:
        told |= {name: found[name] for name in (ADD_S, "MSPD recall")}
    told = {name: round(value, 4) for name, value in told.items()}
    return told | {name: value for name, value in found.items() if name.endswith("by category")}


def picked(found: dict[str, Any]) -> dict[str, Any]:
    """What is told of picking."""
    rates = ((PICKED, "by_sight"), (f"{PICKED} by the true state", "by_state"))
    return {name: round(100 * found[of]["successes"] / found[of]["episodes"], 1) for name, of in rates}


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The worst of the seeds that there are beside what each part is to reach; the best beside what is to fail."""
    found = []
    for name, part in PROOFS.items():
        mine = [row for row in rows if row["part"] == name]
        for what, bar in part.bars.items():
            error = what.startswith(POSITION)
            figures = [_figure(row, what, math.inf if error else 0.0) for row in mine]
            high, which = error != part.fail, "best" if part.fail else "worst"
            told = (max if high else min)(figures, default=None)
            beside = Bar(f"{name}: {what}, {which} of {len(mine)} seeds", told, bar, at_most=high).to_dict()
            found.append(beside | ({"measured": None} if told == math.inf else {}))
        slowest = max((row["minutes"] for row in mine), default=None)
        found.append(Bar(f"{name}: minutes from nothing", slowest, part.minutes, at_most=True).to_dict())
    return found


def _figure(row: dict[str, Any], what: str, missing: float) -> float:
    """A figure of a row: where nothing was found, of which it could be, the worst that there is."""
    value = row.get(what)
    return missing if value is None else float(value)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where images and models are kept")
    parser.add_argument("--part", choices=list(PROOFS), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--images", type=int, help="how many are learnt from")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--tests", type=int, default=300, help="path-traced images that models are measured on")
    parser.add_argument("--episodes", type=int, default=100, help="in which things are picked by their poses")
    parser.add_argument("--size", default="320x240")
    return parser.parse_args()


if __name__ == "__main__":
    main()
