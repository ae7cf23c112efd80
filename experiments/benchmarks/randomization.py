"""What randomization costs, and whether it keeps its word: draws as declared, quotas met, ranges that are found.

Cost: rounds of one reset and 50 steps, interleaved, with the same actions under every randomization. The cost of one is
1 - its steps per second, resets included, over those of `none`, each from the totals of all rounds: a ratio of sums.

Faithfulness: Kolmogorov-Smirnov tests of what is continuous and chi-square tests of what is not, by the name of every
item, a colour by its hue, saturation and value and a position by its coordinates; no physics. Objects and goals are
drawn again until they fit, so their places are tested where nothing is refused: the goal of Reach, and the only object
of PickAndPlace. Lenses are drawn again until they fold nothing, which those of "extreme" may.

Quotas: images of PlaceInBox are searched to meet five quotas at once, counted again in the images made from what was
accepted; and a rare one with replays and by plain draws, candidates 0, 1, 2, ... of the same seeds. If plain draws are
short of it after as many as are tried, what they would need is extrapolated from their rate.

Curriculum: automatic randomization of a simulated learner, who succeeds with 0.95 within known limits and 0.1 outside.
"""

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from simworld.agents.collect import manipulation, stage
from simworld.agents.curation.balance import Chosen, Features, Wanted, balanced_images, search_samples
from simworld.agents.curation.features import image_features
from simworld.agents.evaluation.evaluation import wilson_interval
from simworld.agents.experts import expert
from simworld.building.spec import SceneSpec
from simworld.datasets.labelled import photograph
from simworld.datasets.store.folder import OutputFolder
from simworld.distributions.expressions import Constant
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped_task
from simworld.experiments.benchmarks.measuring import Bar, Seconds, between, now
from simworld.experiments.cli.console import progress, table
from simworld.experiments.goodness import p_value, parts
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import make_env
from simworld.randomization.curriculum import AutomaticRandomization, Span, Trial
from simworld.randomization.possible import Possible
from simworld.randomization.presets import EXTREME, FULL, NONE
from simworld.randomization.quotas.quota import Quota, read_quotas
from simworld.randomization.quotas.tally import QuotaError, Report
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.streams import Streams
from simworld.writing import write_json

ENV_ID = "simworld/PlaceInBox-v0"
RESULTS = Path(__file__).parents[1] / "results" / "randomization.json"

ROUNDS, STEPS = 150, 50
COSTLY: dict[str, Any] = {
    "none": "none",
    "default": "default",
    "dynamics": "dynamics",
    "full": "full",
    "full, one object": ["full", {"objects.count": 1}],
}

SAMPLES, LEAST, LEVEL = 2000, 50, 0.01
"""Samples; the fewest draws that are tested; the family-wise level."""

JOINT = (
    "objects.0.kind=uniform",
    "objects.count=uniform",
    "objects.0.mass[0.2,0.3]=25%",
    "touching=10%",
    "occlusion[0.3,0.8]=20%",
)
RARE = "occlusion[0.5,0.8]=50%"
REPLAYS = 8
"""Variations of each scene that the rare one may have."""
JOINT_IMAGES, RARE_IMAGES, RARE_SEEDS, PLAIN = 200, 100, 4, 1500
CAMERA, SIZE = "front", (84, 84)

SPANS = {
    "goal.position.x": Span(0.0, (-0.1, 0.1), 0.002),
    "lights.ambient": Span((0.75, 0.8), (0.2, 2.0), 0.02),
}
LIMITS = {"goal.position.x": (-0.05, 0.08), "lights.ambient": (0.5, 1.4)}
"""Within which the simulated learner is able."""
TRIALS, BUFFER, LEARNERS, CLOSE = 16_000, 20, 3, 0.05


def main() -> None:
    cost, faithful, joint, rare, learners = (
        measure_cost(),
        measure_faithfulness(),
        measure_joint_quotas(),
        measure_rare_quota(),
        [row for seed in range(LEARNERS) for row in measure_curriculum(seed)],
    )
    full = next(row for row in cost if row["randomization"] == "full")
    bars = [
        Bar("cost of full", full["cost"], 0.25, at_most=True),
        Bar("ms a reset of full", full["reset ms"], 15.0, at_most=True),
        Bar("corrected p of the least likely draws", min(row["corrected p"] for row in faithful), LEVEL),
        Bar("joint quotas, largest relative error", joint["largest error"], 0.05, at_most=True),
        Bar("rare quota, plain over steered candidates", rare["ratio"], 3.0),
        Bar(
            "curriculum, error of a boundary / width of the limits",
            max(r["error"] for r in learners),
            CLOSE,
            at_most=True,
        ),
    ]
    found = {"cost": cost, "faithfulness": faithful, "joint quotas": joint, "rare quota": rare, "curriculum": learners}
    judged = [bar.to_dict() for bar in bars]
    write_json(RESULTS, found | {"bars": judged, "machine": machine_description(), "versions": versions()})
    show("Cost of a randomization, one core, state observations", cost)
    show("Draws against what is declared", faithful)
    show(_title("Five quotas at once", joint), joint["cells"])
    show(f"{RARE} of {RARE_IMAGES} images: steered, and by plain draws", rare["searches"])
    show(f"Ranges found in {TRIALS} trials of a learner with known limits", learners)
    show("Bars", judged)


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table."""
    table(title, list(rows[0]), [list(row.values()) for row in rows])


def _title(what: str, search: Mapping[str, Any]) -> str:
    return f"{what}: {search['images']} images of {search['candidates']} candidates ({search['acceptance rate']:.1%})"


class Round(NamedTuple):
    """A reset, and all steps after it."""

    reset: Seconds
    steps: Seconds


def measure_cost() -> list[dict[str, Any]]:
    """Time of steps and of resets by randomization, and what it takes of the steps per second."""
    rounds: dict[str, list[Round]] = {name: [] for name in COSTLY}
    with ExitStack() as stack, progress("cost", ROUNDS) as tell:
        envs = {name: stack.enter_context(closing(make_env(ENV_ID, value))) for name, value in COSTLY.items()}
        for env in envs.values():
            env.reset(seed=0)
        for done in range(ROUNDS):
            actions = np.random.default_rng(done).uniform(-1, 1, (STEPS, 4)).astype(np.float32)
            for name, env in envs.items():
                rounds[name].append(run_round(env, actions))
            tell(done + 1)
    total = {name: [sum(r.reset[clock] + r.steps[clock] for r in rounds[name]) for clock in (0, 1)] for name in rounds}
    return [
        {
            "randomization": name,
            "step ms": round(1e3 / STEPS * statistics.median(r.steps.wall for r in measured), 3),
            "reset ms": round(1e3 * statistics.median(r.reset.wall for r in measured), 2),
            "steps/s with resets": round(ROUNDS * STEPS / total[name][0]),
            "cost": round(1 - total["none"][0] / total[name][0], 3),
            "cost in CPU time": round(1 - total["none"][1] / total[name][1], 3),
        }
        for name, measured in rounds.items()
    ]


def run_round(env: gym.Env[Any, Any], actions: np.ndarray) -> Round:
    """Time a reset, and the steps of some actions."""
    begin = now()
    env.reset()
    middle = now()
    for action in actions:
        # Under the wrappers: an episode that ends by luck would otherwise stop the round.
        env.unwrapped.step(action)
    end = now()
    return Round(between(begin, middle), between(middle, end))


def measure_faithfulness() -> list[dict[str, Any]]:
    """The tests of each source of draws; all together are one family, corrected after Bonferroni."""
    in_box, alone = shipped_task("place_in_box").scene, NONE | {"objects.count": 1}
    found = {
        "full": p_values(in_box, FULL, "objects.*.position"),
        "extreme": p_values(in_box, EXTREME, "objects.*.position", "camera.*.distortion"),
        "goal of Reach": p_values(shipped_task("reach").scene, NONE),
        "object of PickAndPlace": p_values(shipped_task("pick_and_place").scene, alone, "goal.position"),
    }
    tests = sum(len(values) for values in found.values())
    rows = []
    for source, values in found.items():
        least = min(values, key=values.__getitem__)
        p = values[least]
        figures = {"samples": SAMPLES, "tests": len(values), "least likely": least, "p": float(f"{p:.2g}")}
        threshold = {"threshold": float(f"{LEVEL / tests:.2g}"), "corrected p": float(f"{min(1.0, p * tests):.2g}")}
        rows.append({"source": source, **figures, **threshold, "passed": p > LEVEL / tests})
    return rows


def p_values(spec: SceneSpec, randomization: Randomization, *refused: str) -> dict[str, float]:
    """The p-value of every test of the draws of a spec; not of the addresses that begin as what may be `refused`."""
    possible = Possible(spec, randomization)
    values = defaultdict[str, list[Any]](list)
    with progress("samples", SAMPLES) as tell:
        for index in range(SAMPLES):
            for name, value in sample_scene(spec, randomization, Streams(17, index)).parameters.items():
                if not isinstance(possible[name], Constant) and not spec.space.starred(name).startswith(refused):
                    values[name].append(value)
            tell(index + 1)
    found = {}
    for name, drawn in values.items():
        for part, (distribution, numbers) in parts(possible[name], drawn).items():
            if len(numbers) >= LEAST:
                found[f"{name}{part}"] = p_value(distribution, numbers)
    return found


class Searched(NamedTuple):
    """Number and parameters of what a search accepted, its last report, and the seconds of a candidate."""

    accepted: Sequence[Chosen]
    report: Report
    seconds: float


def search(env: ManipulationEnv, quotas: Sequence[str], count: int, seed: int, replays: int = 0) -> Searched:
    """Search images; what cannot be met within the usual budget shows in the report."""
    reports: list[Report] = []
    accepted: Sequence[Chosen] = ()
    begin = time.perf_counter()
    with TemporaryDirectory() as folder, progress(f"quotas, seed {seed}", count) as tell, suppress(QuotaError):

        def hear(report: Report) -> None:
            reports[:] = [report]
            tell(report.accepted)

        wanted = Wanted(quotas, count, seed, replays=replays, tell=hear)
        balance = balanced_images(env, expert(env.config), wanted, (CAMERA,), SIZE)
        with OutputFolder(folder, {}) as out:
            accepted = search_samples(out, balance)
    return Searched(accepted, reports[0], (time.perf_counter() - begin) / reports[0].candidates)


def measure_joint_quotas() -> dict[str, Any]:
    """Five quotas at once: what was asked, met, and counted again in the images of what was accepted."""
    with closing(make_env(ENV_ID, "default")) as env:
        accepted, report, seconds = search(manipulation(env), JOINT, JOINT_IMAGES, 0)
        renderer = RasterRenderer()
        images = [features(manipulation(env), renderer, 0, c.number, c.parameters) for c in accepted]
    quotas = {quota.feature: quota for quota in read_quotas(JOINT)}
    cells: list[dict[str, Any]] = [
        {
            "quota": tally.feature,
            "cell": tally.cell,
            "asked": tally.asked,
            "met": tally.met,
            "counted": sum(_cell(quotas[tally.feature], image[tally.feature]) == tally.cell for image in images),
            "seen": f"{tally.seen / report.candidates:.1%}",
        }
        for tally in report.tallies
    ]
    return {
        "images": len(images),
        "candidates": report.candidates,
        "acceptance rate": round(report.acceptance_rate, 4),
        "scenes": report.groups,
        "ms a candidate": round(1e3 * seconds, 1),
        "largest error": max(abs(cell["counted"] - cell["asked"]) / max(cell["asked"], 1) for cell in cells),
        "cells": cells,
    }


def _cell(quota: Quota, value: float | str | bool) -> str:
    """The name of the cell of a value; each value is a cell where the quota lists none."""
    return quota.names[quota.where(value)] if quota.cells else str(value)


def features(
    env: ManipulationEnv, renderer: RasterRenderer, seed: int, number: int, parameters: Mapping[str, Any] | None = None
) -> Features:
    """What quotas may be over, of an image that is made as those of a search are."""
    moment = stage(env, expert(env.config), seed, number, parameters)
    return {**moment.parameters, **image_features(photograph(moment, renderer, CAMERA, SIZE), renderer)}


def measure_rare_quota() -> dict[str, Any]:
    """Candidates that a rare quota takes, steered and by plain draws, summed over some seeds."""
    with closing(make_env(ENV_ID, "default")) as env:
        searches = [compare(manipulation(env), seed) for seed in range(RARE_SEEDS)]
    steered = sum(row["steered"] for row in searches)
    tried, hits = (sum(row[name] for row in searches) for name in ("plain tried", "plain hits"))
    wanted = RARE_SEEDS * Quota.parse(RARE).asked(RARE_IMAGES)[0]
    low, high = (wanted / rate if rate else math.inf for rate in reversed(wilson_interval(hits, tried)))
    return {
        "searches": searches,
        "steered": steered,
        "plain": sum(row["plain"] for row in searches),
        "plain rate": round(hits / tried, 4),
        "ratio": round(sum(row["plain"] for row in searches) / steered, 2),
        "95% interval": [round(low / steered, 2), round(high / steered, 2)],
    }


def compare(env: ManipulationEnv, seed: int) -> dict[str, Any]:
    """Candidates of one seed until the rare cell is full, steered and plain."""
    _, report, seconds = search(env, [RARE], RARE_IMAGES, seed, REPLAYS)
    quota, renderer = Quota.parse(RARE), RasterRenderer()
    wanted, hits, tried = quota.asked(RARE_IMAGES)[0], 0, 0
    with progress(f"plain draws, seed {seed}", PLAIN) as tell:
        while hits < wanted and tried < PLAIN:
            hits += quota.where(features(env, renderer, seed, tried)[quota.feature]) == 0
            tried += 1
            tell(tried)
    plain = round(wanted * tried / max(hits, 1))
    return {
        "seed": seed,
        "accepted": report.accepted,
        "steered": report.candidates,
        "replays": report.replays,
        "scenes": report.groups,
        "ms a candidate": round(1e3 * seconds, 1),
        "plain tried": tried,
        "plain hits": hits,
        "plain": plain,
        "extrapolated": hits < wanted,
        "ratio": round(plain / report.candidates, 2),
    }


def measure_curriculum(seed: int) -> list[dict[str, Any]]:
    """The ranges found of one learner, and how many trials it took until all boundaries first were close."""
    automatic, close = AutomaticRandomization(SPANS, buffer=BUFFER, seed=seed), None
    for number in range(TRIALS):
        trial = automatic.draw(number)
        automatic.tell(trial, performance(trial, np.random.default_rng((seed, number))))
        if close is None and all(_error(automatic, address) <= CLOSE for address in LIMITS):
            close = number + 1
    return [
        {
            "seed": seed,
            "factor": address,
            "limits": list(LIMITS[address]),
            "found": [round(end, 4) for end in automatic.ranges[address]],
            "error": round(_error(automatic, address), 4),
            "trials until all are close": close,
        }
        for address in LIMITS
    ]


def performance(trial: Trial, generator: np.random.Generator) -> float:
    """1 with probability 0.95 within all limits, 0.1 outside; else 0."""
    able = all(low <= trial.parameters[address] <= high for address, (low, high) in LIMITS.items())
    return float(generator.random() < (0.95 if able else 0.1))


def _error(automatic: AutomaticRandomization, address: str) -> float:
    """How far the worse boundary is from its limit, in widths of the limits."""
    low, high = LIMITS[address]
    return max(abs(a - b) for a, b in zip(automatic.ranges[address], (low, high), strict=True)) / (high - low)


if __name__ == "__main__":
    main()
