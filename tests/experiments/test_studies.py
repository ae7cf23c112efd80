"""Studies sum up what they measured as they say, and run from the first image to the last figure."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simworld.agents.imitation.cloning import CloningSettings
from simworld.agents.imitation.demonstrations import Transitions
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.reality.sealed_world import SealedWorld
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.experiments import clock
from simworld.experiments.figures import earned_plot
from simworld.experiments.recipes.vision.vision_models import model_digest
from simworld.experiments.studies import adaptive, compared, earned, flow, focused, photo_real, sealed, study_folder
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.randomization.randomization import Randomization


def test_the_worst_of_the_seeds_is_beside_its_bar() -> None:
    rows = [
        {"part": "position", "seed": k, photo_real.POSITION: error, photo_real.SPREAD: 2 * error, "minutes": 40 + k}
        for k, error in enumerate((0.8, 1.1))
    ]
    found = {bar["what"]: bar for bar in photo_real.bars(rows)}
    worst = found["position: position in cm, worst of 2 seeds"]
    assert worst["measured"] == 1.1 and not worst["met"]
    assert found["position: minutes from nothing"]["measured"] == 41
    assert found["position: minutes from nothing"]["met"]
    assert found[f"pose: {photo_real.ADD_S}, worst of 0 seeds"]["met"] is None


@pytest.mark.parametrize(
    ("part", "what", "figures", "measured", "met"),
    [
        ("position", photo_real.POSITION, (0.8, None), None, False),
        ("pose", photo_real.PICKED, (95.0, None), 0.0, False),
        ("pose", photo_real.PICKED, (95.0, 90.0), 90.0, True),
        ("position without randomization", photo_real.POSITION, (4.0, None), 4.0, True),
        ("position without randomization", photo_real.POSITION, (None, None), None, True),
        ("position without randomization", photo_real.POSITION, (4.0, 0.9), 0.9, False),
    ],
)
def test_what_was_not_found_has_failed(
    part: str, what: str, figures: tuple[float | None, ...], measured: float | None, met: bool
) -> None:
    told = [{} if figure is None else {what: figure} for figure in figures]
    rows = [{"part": part, "seed": k, "minutes": 40.0, **each} for k, each in enumerate(told)]
    found = {bar["what"]: bar for bar in photo_real.bars(rows)}
    which = "best" if "without" in part else "worst"
    bar = found[f"{part}: {what}, {which} of 2 seeds"]
    assert (bar["measured"], bar["met"]) == (measured, met)
    json.dumps(list(found.values()), allow_nan=False)


def test_rows_of_other_settings_are_not_stood_beside(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    assert kept_rows(results) == []
    check_alike(results, [{"seed": 0, "steps": 4}], {"steps": 4})
    with pytest.raises(ConfigurationError, match=r"^results: .*results.json has figures of \{'steps': 4\}, beside"):
        check_alike(results, [{"seed": 0, "steps": 4}], {"steps": 5})


def test_a_kill_loses_seconds_of_the_clock_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, path = [100.0], tmp_path / "seed0" / "model"
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    killed = clock.Clock(path)
    assert killed.read(path) == 0.0
    for at, saved in ((107.0, 0.0), (112.0, 12.0), (115.0, 12.0)):
        now[0] = at
        killed.tick()
        assert killed.read(path) == saved
    going_on = clock.Clock(path)
    now[0] = 124.0
    going_on.save()
    making = study_folder.StudyFolder(tmp_path, (96, 64))
    assert making.minutes("seed0/model") == pytest.approx(21 / 60)
    with pytest.raises(ConfigurationError, match="^folder: nobody measured how long .*images took"):
        making.minutes("seed0/model", "seed0/images")


def test_intervals_over_seeds_are_students() -> None:
    values = {"recall": (0.5, 0.7, 0.9), "box AP50": (0.2,)}
    rows = [
        {"about": "a", "what": "b", "seed": k, **{name: each[k] for name, each in values.items() if k < len(each)}}
        for k in range(3)
    ]
    (told,) = earned.summed(rows)
    mean, spread = told["recall"]
    low, high = stats.t.interval(0.95, 2, np.mean(values["recall"]), stats.sem(values["recall"]))
    np.testing.assert_allclose((mean - spread, mean + spread), (low, high), rtol=1e-3)
    assert told["box AP50"] == [0.2, None] and told["seeds"] == 3


def test_of_many_seeds_there_is_an_interval_as_far_as_the_table_goes() -> None:
    rows = [{"about": "a", "what": "b", "seed": k, "recall": k / 10} for k in range(11)]
    of_ten, of_eleven = (next(iter(earned.summed(rows[:count])))["recall"] for count in (10, 11))
    assert of_ten[1] == pytest.approx(stats.t.ppf(0.975, 9) * stats.sem(np.arange(10) / 10), rel=1e-3)
    assert of_eleven == [0.5, None]


@pytest.mark.slow
def test_a_study_goes_from_images_to_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = (
        "--folder",
        tmp_path / "study",
        "--results",
        results,
        "--images",
        12,
        "--steps",
        2,
        "--tests",
        1,
        "--episodes",
        1,
    )
    for seed in (0, 1):
        command = ["photo_real.py", *map(str, asked), "--part", "pose", "--size", "96x64", "--seed", str(seed)]
        monkeypatch.setattr(sys, "argv", command)
        photo_real.main()
    command = ["photo_real.py", *map(str, asked), "--part", "detection", "--size", "96x64"]
    monkeypatch.setattr(sys, "argv", command)
    photo_real.main()
    rows = json.loads(results.read_text())["rows"]
    assert [(row["part"], row["seed"]) for row in rows] == [("detection", 0), ("pose", 0), ("pose", 1)]
    # What it went on from is in its minutes.
    both = sum(float((tmp_path / f"study/{name}0/model.seconds").read_text()) for name in ("position", "detection"))
    first, rows = rows[0], rows[1:]
    assert first["minutes"] - first["minutes of rendering"] == pytest.approx(both / 60, abs=0.11)
    request = json.loads((tmp_path / "study/detection0/model/request.json").read_text())
    assert request["start_sha256"] == model_digest(tmp_path / "study/position0/model/model.safetensors")
    assert all(0 <= row["minutes of rendering"] <= row["minutes"] for row in rows)
    assert all(row[photo_real.PICKED] in (0.0, 100.0) for row in rows)


@pytest.mark.slow
def test_what_earned_it_is_asked_of_each_variation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = ("--folder", tmp_path / "study", "--results", results, "--images", 10, "--steps", 2, "--tests", 1)
    command = ["earned.py", *map(str, asked), "--size", "96x64", "--curve", "10"]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(earned, "FEW", (2,))
    earned.main()
    told = json.loads(results.read_text())
    labels = [(row["about"], row["what"]) for row in told["rows"]]
    assert [what for about, what in labels if about == "randomization"] == [*earned.PRESETS, earned.ALL]
    assert [what for about, what in labels if about == "without"] == list(earned.LEFT_OUT)
    images = [("images", "10"), ("images", "30")]
    assert labels[-4:] == [*images, ("path-traced", "2 alone"), ("path-traced", "2 after ours")]
    svg = earned_plot.drawn(told["summary"])
    assert all(f">{what}</text>" in svg for _, what in labels) and svg.count("<circle") >= len(labels)
    assert len(told["summary"]) == len(labels)
    monkeypatch.setattr(sys, "argv", [*command, "--seed", "1", "--steps", "3"])
    with pytest.raises(ConfigurationError, match="^results: .* name another file$"):
        earned.main()


@pytest.mark.slow
def test_focused_images_are_compared_with_uniform_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = ("--folder", tmp_path / "study", "--results", results, "--images", 20, "--steps", 2, "--tests", 2)
    monkeypatch.setattr(sys, "argv", ["focused.py", *map(str, asked), "--size", "96x64", "--seeds", "1"])
    focused.main()
    told = json.loads(results.read_text())
    drawn = [(row["drawn"], row["images"]) for row in told["models"]]
    assert drawn == [(focused.HALF, 10), (focused.FEW, 20), (focused.FOCUSED, 20), (focused.MANY, 40)]
    assert told["bars"][0]["met"] in (True, False) and len(told["focused"]) == 1


@pytest.mark.slow
def test_ranges_that_grow_stand_beside_those_that_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = ("--seeds", 1, "--first", 4, "--rounds", 1, "--each", 4, "--episodes", 2, "--results", results)
    monkeypatch.setattr(sys, "argv", ["adaptive.py", *map(str, asked)])
    adaptive.main()
    told = json.loads(results.read_text())
    assert [row["ranges"] for row in told["rows"]] == ["fixed", "adaptive"] and told["summary"]["seeds"] == 1
    before = results.read_bytes()
    adaptive.main()
    assert results.read_bytes() == before


@pytest.mark.slow
def test_a_sealed_world_is_found_out_and_policies_are_tried_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.json"
    asked = ("--out", tmp_path / "study", "--seeds", 1, "--generations", 1, "--simulated", 4, "--episodes", 2)
    worlds = ("--world", "old_arm", "far_away")
    monkeypatch.setattr(sys, "argv", ["sealed.py", *map(str, asked), *worlds, "--results", str(results)])
    monkeypatch.setattr(sealed, "METHODS", [("adaptive", 0), (sealed.OWN, 2), (sealed.ALONE, 2)])
    monkeypatch.setattr(sealed, "EPOCHS", 1)
    learn, learnt = sealed.Study._policy, list[tuple[str, int]]()

    def learn_told(own: sealed.Study, world: SealedWorld, drawn: Randomization | None, real: int) -> NetworkPolicy:
        learnt.append((world.name, real))
        return learn(own, world, drawn, real)

    monkeypatch.setattr(sealed.Study, "_policy", learn_told)
    sealed.main()
    # What knows of no world is learnt once.
    assert learnt == [("old_arm", 0), ("old_arm", 2), ("old_arm", 2), ("far_away", 2), ("far_away", 2)]
    rows = json.loads(results.read_text())["rows"]
    for name, (first, *scores) in zip(worlds[1:], (rows[:4], rows[4:]), strict=True):
        assert {row["world"] for row in (first, *scores)} == {name}
        assert first["part"] == "identification" and set(first["estimates"]) == set(sealed.POSSIBLE)
        assert [(row["method"], row["real"]) for row in scores] == sealed.METHODS
    before = results.read_bytes()
    sealed.main()
    assert results.read_bytes() == before


def test_what_is_found_out_is_summed_up_by_its_worst_and_methods_by_their_order() -> None:
    def found(world: str, error: float) -> dict[str, object]:
        estimates = {name: {"error": error if name == "control.delay" else 0.01} for name in sealed.BARS}
        return {"part": "identification", "seed": 0, "world": world, "estimates": estimates}

    def tried(world: str, method: str, real: float, simulated: float) -> dict[str, object]:
        told = {name: {"success": simulated} for name in sealed.TRIED[1:]}
        row = {"part": "scores", "seed": 0, "world": world, "method": method, "real": 0}
        return row | told | {"real world": {"success": real}}

    rows = [found("a", 0.05), found("b", 0.12)]
    rows += [tried("a", "none", 0.2, 0.9), tried("a", "default", 0.8, 0.5)]
    rows += [tried("b", "none", 0.2, 0.1), tried("b", "default", 0.6, 0.3)]
    told = sealed.summed_up(rows)
    assert told["worst errors"] == {"seed 0, a": 0.05, "seed 0, b": 0.12} and not told["met"]
    assert told["orders"]["seed 0, a"] == ["default", "none"] and told["alike"]
    assert told["ranks"]["seed 0, a, simulation"] == {"mmrv": pytest.approx(0.6), "pearson": pytest.approx(-1.0)}
    assert told["ranks"]["seed 0, b, as found out"]["mmrv"] == 0.0


def test_a_flow_does_either_where_the_expert_does_and_regression_what_is_between() -> None:
    config = EnvConfig(task="push")
    settings = CloningSettings(interface=config.interface, hidden=64, layers=2, epochs=15, learning_rate=3e-3)
    draw = np.random.default_rng(0)
    sizes = config.interface.sizes
    seen = [draw.normal(size=(4_000, sizes[name])).astype(np.float32) for name in ("observation", "desired_goal")]
    done = np.repeat(draw.choice([-0.8, 0.8], (4_000, 1)), config.interface.action, axis=1).astype(np.float32)
    data = Transitions(*seen, done, [str(k) for k in range(4_000)])
    middle = seen[1].mean(0)
    one = {"observation": seen[0].mean(0), "desired_goal": middle, "achieved_goal": middle}
    acted = {method: flow.learnt(method, data, settings)[0] for method in flow.METHODS}
    assert np.abs(acted["regression"](one)).max() < 0.4
    near = [{**one, "observation": one["observation"] + np.float32(0.001 * k)} for k in range(40)]
    several = np.array([acted["flow"](each) for each in near])
    assert (np.sign(several) == np.sign(several[:, :1])).all(1).mean() > 0.7  # of noise, one in eight
    assert 4 < (several.mean(1) > 0).sum() < 36


@pytest.mark.slow
def test_flows_stand_beside_regression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = ("--seeds", 1, "--tasks", "push", "--demonstrations", 4, "--epochs", 1, "--episodes", 2)
    monkeypatch.setattr(sys, "argv", ["flow.py", *map(str, asked), "--results", str(results)])
    flow.main()
    told = json.loads(results.read_text())
    assert [row["method"] for row in told["rows"]] == [*flow.METHODS] and set(told["summary"]) == {"push"}
    before = results.read_bytes()
    flow.main()
    assert results.read_bytes() == before


@pytest.mark.slow
def test_algorithms_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = ("--folder", tmp_path, "--only", "ppo", "sac", "--seed", 0, "--steps", 1100, "--episodes", 2)
    monkeypatch.setattr(sys, "argv", ["compared.py", *map(str, asked), "--results", str(results)])
    compared.main()
    told = json.loads(results.read_text())
    assert [(row["experiment"], row["way"]["reward"]) for row in told["rows"]] == [("ppo", "staged"), ("sac", None)]
    assert all(0 <= row["success_rate"] <= 1 and row["minutes"] > 0 for row in told["rows"])
