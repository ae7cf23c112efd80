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
from simworld.experiments.recipes.vision import measure_model
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.experiments.studies.study_folder import StudyFolder
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "photo_real.json"
SEED = 1000
"""Of the images of the first seed; the next ones have the next."""
TRIPOD, KNOWN = "tripod+household", {"objects.*.seed": 0}
MIXED = ("visual+rooms", "visual+rooms+natural")
"""Any look at all, and what is usual."""
POSITION, SPREAD, ADD_S = "position in cm", "position in cm, 90%", "ADD-S under 10% of the diameter"
PICKED = "picked of 100"


class _Part(NamedTuple):
    """What is learnt of which images, of half of `images` of each of the `looks`, and what it is to reach.

    What is to `fail` must not be better than its bars by any seed.
    """

    model: str
    images: int
    steps: int
    minutes: float
    bars: dict[str, float]
    looks: tuple[str, ...] = MIXED
    known: bool = False
    fail: bool = False


PROOFS = {
    "detection": _Part("detector", 5000, 8000, 45, {POSITION: 1.0, SPREAD: 2.0, "box AP50": 0.9, "mask AP50": 0.85}),
    "position without randomization": _Part("detector", 5000, 8000, 45, {POSITION: 1.0}, looks=("none",), fail=True),
    "pose": _Part("pose", 4000, 5000, 90, {ADD_S: 0.85, PICKED: 90}, known=True),
}


def main() -> None:
    asked = arguments()
    part = PROOFS[asked.part]
    part = part._replace(images=asked.images or part.images, steps=asked.steps or part.steps)
    settings = {"images": part.images, "steps": part.steps, "tests": asked.tests, "size": asked.size}
    if PICKED in part.bars:
        settings["episodes"] = asked.episodes
    kept = [row for row in kept_rows(asked.results) if (row["part"], row["seed"]) != (asked.part, asked.seed)]
    check_alike(asked.results, (row for row in kept if row["part"] == asked.part), settings)
    row = of_seed(StudyFolder(asked.folder, parse_size(asked.size)), part, asked.part, asked.seed, settings)
    rows = sorted([row, *kept], key=lambda each: (each["part"], each["seed"]))
    write_json(asked.results, {"rows": rows})
    write_json(asked.results, {"rows": rows, "bars": bars(rows)})
    figures = [[name, value] for name, value in row.items() if isinstance(value, int | float | str)]
    table("On path-traced images of a world not seen", ["figure", "measured"], figures)


def of_seed(making: StudyFolder, part: _Part, name: str, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """The figures of a part's model of a seed."""
    at = f"{name.replace(' ', '_')}{seed}"
    folders = []
    for k, look in enumerate(part.looks):
        randomization = [f"{look}+{TRIPOD}", *([KNOWN] if part.known else [])]
        count = part.images // len(part.looks)
        folders.append(making.images(f"{at}/images{k}", randomization, count, SEED + 10 * seed + k))
    rendering = making.minutes(*(f"{at}/images{k}" for k in range(len(folders))))
    model = making.model(f"{at}/model", folders, model=part.model, steps=part.steps, seed=seed)
    minutes = rendering + making.minutes(f"{at}/model")
    test = making.testset("known" if part.known else "testset", settings["tests"], part.known)
    return {
        "part": name,
        "seed": seed,
        **settings,
        "minutes of rendering": round(rendering, 1),
        "minutes": round(minutes, 1),
        **figures_of(measure_model(model, test)),
        **(picked(making.picks(f"{at}/picks", model, settings["episodes"])) if PICKED in part.bars else {}),
        "machine": machine_description(),
        "versions": versions(),
    }


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
