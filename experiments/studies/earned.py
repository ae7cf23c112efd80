"""Which variation of images earns what is learnt from them, on path-traced images of a world that none of them shows.

The same model and as many steps for each: of images with no, default, visual and full randomization; of all families
of factors but one; of few and of many images, of which the most are those of several seeds; and of few path-traced
images, alone and after many of ours. What was done is kept in the folder, a stopped study goes on with the same
command, and each seed adds its rows to the results:

    python experiments/studies/earned.py --folder /tmp/earned --seed 0
    python experiments/studies/earned.py --folder /tmp/smoke --images 20 --steps 4 --tests 4 --curve 20 40 \\
        --size 96x64 --results /tmp/earned.json
"""

import argparse
import math
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simworld.envs.config import EnvConfig
from simworld.experiments.cli.arguments import parse_size
from simworld.experiments.cli.console import table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.vision.vision_models import MODEL, loaded, measure_model
from simworld.experiments.studies.photo_real import figures_of
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.experiments.studies.study_folder import StudyFolder
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "earned.json"
KIND = "position"
"""It tells categories, boxes and positions."""
SEED = 3000
THINGS, TRIPOD = "household", "tripod"
ALL = "visual+rooms+natural"
PRESETS = ("none", "default", "visual", "full", "visual+rooms")
LEFT_OUT = ("appearance", "light", "camera", "sensor")
FEW = (10, 50)
GENTLE = 1e-3
"""The rate at which a few images are learnt from after many, which would else be forgotten."""
JOINED = 3
"""Seeds whose images together are the most that are learnt from, by the first of them alone."""
SHOWN = ("recall", "box AP50", "box AP", "position in cm", "position in cm, 90%")


class Earning:
    """What is asked of the study, and where its images and models are."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.making = asked, StudyFolder(asked.folder, parse_size(asked.size))
        self.settings = {name: getattr(asked, name) for name in ("images", "steps", "tests", "size")}
        self.kept = [row for row in kept_rows(asked.results) if row["seed"] != asked.seed]
        check_alike(asked.results, (row.get("asked", {}) for row in self.kept), self.settings)
        self.tests = self.making.testset("testset", asked.tests)
        self.rows: list[dict[str, Any]] = []
        self.most = max(asked.images, *asked.curve)

    def presets(self) -> None:
        """The randomizations that there are by name."""
        for preset in PRESETS:
            self.learn("randomization", preset, [self.images(preset, [f"{preset}+{TRIPOD}+{THINGS}"])])
        self.learn("randomization", ALL, [self.pool()], first=self.asked.images)

    def left_out(self) -> None:
        """All families of factors but one."""
        space = EnvConfig(task="place_in_box").scene.space
        whole = as_randomization(f"{ALL}+{TRIPOD}")
        for family in LEFT_OUT:
            rest = whole.only(space, *(other for other in space.families if other != family))
            self.learn("without", family, [self.images(f"without_{family}", [rest, THINGS])])

    def curve(self) -> None:
        """More and more images."""
        for count in self.asked.curve:
            if count == self.asked.images:
                (usual,) = (row for row in self.rows if row["what"] == ALL)
                self.rows.append(usual | {"about": "images", "what": str(count)})
            else:
                self.learn("images", str(count), [self.pool()], first=count)
        if self.asked.seed == 0:
            self.learn("images", str(JOINED * self.most), [self.pool(seed) for seed in range(JOINED)])

    def few_real(self) -> None:
        """A few path-traced images, and the same after many of ours."""
        start = self.making.folder / self.named("model", "randomization", ALL) / MODEL
        known = loaded(start).architecture.categories
        few = self.making.testset(self.named("testset"), max(FEW), seed=1 + self.asked.seed)
        for count in FEW:
            self.learn("path-traced", f"{count} alone", [few], first=count, categories=known)
            self.learn("path-traced", f"{count} after ours", [few], first=count, start=start, learning_rate=GENTLE)

    def pool(self, seed: int | None = None) -> Path:
        """As many images as the curve asks for at the most, of this seed or another."""
        seed = int(self.asked.seed) if seed is None else seed
        return self.making.images(f"pool{seed}", [f"{ALL}+{TRIPOD}+{THINGS}"], self.most, SEED + seed)

    def images(self, name: str, randomization: list[str | Randomization]) -> Path:
        """A folder of images."""
        told = [part if isinstance(part, str) else part.to_plain() for part in randomization]
        return self.making.images(self.named("images", name), told, self.asked.images, SEED + int(self.asked.seed))

    def learn(self, about: str, what: str, images: list[Path], **options: Any) -> None:
        """Train a model, and note what it reaches."""
        kind = options if "start" in options else options | {"model": KIND}
        name = self.named("model", about, what)
        model = self.making.model(name, images, steps=self.asked.steps, seed=self.asked.seed, **kind)
        figures = figures_of(measure_model(model, self.tests))
        row = {"about": about, "what": what, "seed": self.asked.seed, "asked": self.settings}
        self.rows.append(row | {figure: figures[figure] for figure in SHOWN if figure in figures})

    def named(self, *parts: str) -> str:
        """The folder of this seed's images or model."""
        return f"seed{self.asked.seed}/{'_'.join(parts).replace('+', '_').replace(' ', '_')}"


def main() -> None:
    asked = arguments()
    study = Earning(asked)
    for part in (study.presets, study.left_out, study.curve, study.few_real):
        part()
    rows = [*study.kept, *study.rows]
    summary = list(summed(rows))
    about = {"model": KIND, "machine": machine_description(), "versions": versions()}
    write_json(asked.results, {"summary": summary, "rows": rows} | about)
    shown = ["about", "what", *SHOWN]
    table("What earned it", shown, [[_said(each.get(name)) for name in shown] for each in summary])


def summed(rows: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Of each figure the mean over seeds, and how far its 95% interval by Student's t reaches.

    That is None of one seed, and of more than ten.
    """
    for about, what in dict.fromkeys((row["about"], row["what"]) for row in rows):
        mine = [row for row in rows if (row["about"], row["what"]) == (about, what)]
        found: dict[str, Any] = {"about": about, "what": what, "seeds": len(mine)}
        for figure in SHOWN:
            values = [row[figure] for row in mine if row.get(figure) is not None]
            if values:
                found[figure] = [statistics.mean(values), _reach(values)]
        yield found


_STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""97.5% quantiles of Student's distribution, by how many values there are."""


def _reach(values: list[float]) -> float | None:
    quantile = _STUDENT.get(len(values))
    return None if quantile is None else quantile * statistics.stdev(values) / math.sqrt(len(values))


def _said(value: Any) -> str:
    match value:
        case [mean, None]:
            return f"{mean:.3f}"
        case [mean, spread]:
            return f"{mean:.3f} ± {spread:.3f}"
    return str(value)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where images and models are kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--images", type=int, default=1600, help="how many are learnt from")
    parser.add_argument("--curve", type=int, nargs="+", default=[100, 400, 1600, 6667])
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--tests", type=int, default=200, help="path-traced images that models are measured on")
    parser.add_argument("--size", default="224x168")
    return parser.parse_args()


if __name__ == "__main__":
    main()
