"""Policies that act by what cameras see and what a robot knows of itself."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import assert_refused, simworld

from simworld.agents.networks.learnt import load_learnt
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.policy import load_policy
from simworld.agents.visuomotor.camera_eye import CameraEye
from simworld.agents.visuomotor.visuomotor_policy import OWN, Glance, VisuomotorNetwork, VisuomotorPolicy
from simworld.agents.visuomotor.visuomotor_training import VisuomotorSettings, clone_by_sight
from simworld.agents.visuomotor.watching import WatchedSteps
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.verify import verify
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.errors import ConfigurationError, TrainingError
from simworld.experiments.recipes.contract import Contract
from simworld.experiments.recipes.learning.policy_training import train_visuomotor
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.streams import Streams

REACH = "simworld/Reach-v0"
SEEN: dict[str, Any] = {"observation": ("state", "rgb"), "cameras": ("front", "wrist"), "image_size": (32, 24)}
CONFIG = EnvConfig(task="reach", **SEEN)
SETTINGS = VisuomotorSettings(
    interface=CONFIG.interface,
    cameras=CONFIG.cameras,
    image_size=(32, 24),
    width=2,
    hidden=16,
    layers=1,
    chunk=3,
    steps=5,
    batch_size=8,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demonstrations")
    write_rollouts(folder, REACH, episodes=6, noise=0.3, options=SEEN)
    return folder


@pytest.fixture(scope="module")
def episodes(store: Path) -> list[Episode]:
    return list(read_episodes(store))


@pytest.fixture(scope="module")
def data(episodes: list[Episode]) -> Iterator[WatchedSteps]:
    with closing(WatchedSteps(episodes, SETTINGS.architecture)) as watched:
        yield watched


@pytest.fixture(scope="module")
def policy(data: WatchedSteps) -> VisuomotorPolicy:
    return clone_by_sight(data, "x", SETTINGS)


def test_steps_are_what_was_seen_and_done(episodes: list[Episode], data: WatchedSteps) -> None:
    assert len(data.groups) == sum(map(len, episodes)) and len(set(data.groups)) == 6
    begin = len(episodes[0])
    rows = [begin, begin + len(episodes[1]) - 1]
    watched, second = data.rows(rows), episodes[1]
    seen = second.observations
    for place, step in enumerate((0, len(second) - 1)):
        for camera, name in enumerate(("front_rgb", "wrist_rgb")):
            assert np.array_equal(watched.images[place, camera], seen[name][step])
        own = np.concatenate([seen["observation"][step][CONFIG.interface.places[name]] for name in OWN])
        assert np.array_equal(watched.own[place], own) and len(own) == 3 + 4 + 1 + 7
    wanted = second.expert_actions
    assert wanted is not None and not np.array_equal(wanted, second.actions)
    assert np.array_equal(watched.actions[0], wanted[:3])
    assert np.array_equal(watched.actions[1], wanted[[-1, -1, -1]])  # the last one goes on


def shifts(moved: torch.Tensor, still: torch.Tensor) -> list[tuple[int, int]]:
    """By how many (rows, columns) one picture of 24 x 32 may be another moved, of up to two."""
    inner = moved[4:-4, 4:-4]
    by = range(-2, 3)
    return [(y, x) for y in by for x in by if torch.equal(inner, still[4 + y : 20 + y, 4 + x : 28 + x])]


def test_images_are_moved_and_colours_varied(data: WatchedSteps) -> None:
    rows = np.arange(len(data.groups))
    still, moved = data.batch(rows, 6, 0, 0.0, Streams(1)), data.batch(rows, 6, 2, 0.3, Streams(1))
    assert torch.equal(still.own, moved.own)  # of the same steps
    assert torch.equal(still.mix, torch.eye(3).expand(6, 2, 3, 3)) and not still.shift.any()
    assert all(torch.equal(a, b) for a, b in zip(moved, data.batch(rows, 6, 2, 0.3, Streams(1)), strict=True))
    places = set()
    for k in range(6):
        for camera in range(2):
            found = shifts(moved.images[k, camera], still.images[k, camera])
            assert found
            places.add(found[0])
    assert len(places) > 4
    grey = torch.ones(3) @ moved.mix  # saturation leaves grey as it is, but for what the channels and contrast vary
    assert (grey.log().abs() <= 0.3 + 0.15 + 1e-5).all() and (moved.shift.abs() <= 0.3).all()
    assert (moved.mix.flatten(0, 1).std(0) > 0.01).all()


def test_an_eye_tells_where_something_is() -> None:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        eye, images = CameraEye(2).eval(), torch.rand(2, 3, 32, 48)
        eye.where.weight.zero_()
        eye.where.bias.zero_()
        told, where = eye(images)  # all places alike, of which the middle is the mean
        assert told.shape == (2, 24) and torch.allclose(told[:, :16], torch.zeros(2, 16), atol=1e-5)
        assert where.shape == (2, 8, 8, 12) and torch.allclose(where.exp(), torch.tensor(1 / 96))
        eye.where.weight.fill_(1e7)  # one cell alone counts
        places = eye(images)[0][:, :16]
    columns, rows = torch.linspace(-1, 1, 12), torch.linspace(-1, 1, 8)
    assert ((places[:, :8, None] - columns).abs().min(-1).values < 1e-3).all()
    assert ((places[:, 8:, None] - rows).abs().min(-1).values < 1e-3).all()


def test_marks_are_where_things_are_and_move_with_images(tmp_path: Path) -> None:
    masked = SEEN | {"observation": ("state", "rgb", "segmentation")}
    write_rollouts(tmp_path, "simworld/PlaceInBox-v0", episodes=2, randomization="default", options=masked)
    episodes = list(read_episodes(tmp_path))
    interface = EnvConfig(task="place_in_box", **SEEN).interface
    architecture = SETTINGS.architecture.model_copy(update={"interface": interface})
    with closing(WatchedSteps(episodes, architecture, ("box", "object"))) as watched:
        assert watched.state.shape[1] == 56 - 16 - 3 - 7 - 6 + 9  # own, then what moves: tool, joints and object
        held = interface.places["object_grasped"]
        felt = np.concatenate([each.observations["observation"][:-1, held] for each in episodes])
        assert np.array_equal(watched.own[:, 15:], felt) and {*felt.flat} == {0.0, 1.0}
        rows = np.arange(len(watched.groups))
        still = watched.rows(rows).marked.numpy()
        for camera, name in enumerate(("front", "wrist")):
            seen = np.concatenate([e.observations[f"{name}_segmentation"][:-1, ..., 0] for e in episodes])
            ids = episodes[0].scene.instances
            assert np.array_equal(still[:, camera] == 1, seen == ids["box"]) and (still == 1).any()
            assert np.array_equal(still[:, camera] == 2, seen == ids["object"]) and (still == 2).any()
            assert still.max() == 2
        blank = Streams(3), Streams(3)
        moved, here = (watched.batch(rows, 8, pixels, 0.0, of) for pixels, of in zip((2, 0), blank, strict=True))
        moves = set[tuple[int, int]]()
        for k, camera in np.ndindex(8, 2):  # as its image did
            found = {*shifts(moved.images[k, camera], here.images[k, camera])}
            found &= {*shifts(moved.marked[k, camera], here.marked[k, camera])}
            assert found
            moves |= found
        assert len(moves) > 4 and here.marked[:, :, 4:-4, 4:-4].any()
    with pytest.raises(ConfigurationError, match="^marks: there is no 'lid' in episode .*; there are \\['robot'"):
        WatchedSteps(episodes, architecture, ("lid",))


def test_the_loss_of_marks_is_a_divergence(data: WatchedSteps, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KL divergence: nothing where a feature is spread as its thing is, and known in closed form where it is not."""
    network = VisuomotorNetwork(SETTINGS.architecture, marks=2, mark_weight=3.0)
    batch = data.rows([0])
    marked = torch.zeros_like(batch.marked)
    marked[0, 0, 4:12, 8:16] = 1  # four cells of four by four pixels
    marked[0, 1, 0, 0] = 2  # a sixteenth of a cell: too little to look for
    where = torch.full((1, 2, 8, 6, 8), -np.log(48.0))
    plain = network.forward

    def found(*given: Any) -> Glance:
        return plain(*given)._replace(where=where)

    monkeypatch.setattr(network, "forward", found)
    told = network.losses(batch._replace(marked=marked), torch.float32)["mark"]
    assert float(told) == pytest.approx(3 * np.log(48 / 4), rel=1e-5)
    where[0, 0, 0] = -1e4
    where[0, 0, 0, 1:3, 2:4] = -np.log(4.0)
    assert float(network.losses(batch._replace(marked=marked), torch.float32)["mark"]) == pytest.approx(0, abs=1e-5)
    assert float(network.losses(batch, torch.float32)["mark"]) == 0  # nothing is there
    assert "mark" not in VisuomotorNetwork(SETTINGS.architecture).losses(batch, torch.float32)


def test_it_learns_from_pictures_alone(episodes: list[Episode]) -> None:
    """What is on them is a bright square, at a place that nothing else tells; what is to be done is that place."""
    generator, first = np.random.default_rng(0), episodes[0]
    made = []
    for k in range(60):
        images = np.zeros((len(first) + 1, 24, 32, 3), np.uint8)
        corners = generator.integers((0, 0), (21, 29), (len(first) + 1, 2))
        for image, (y, x) in zip(images, corners, strict=True):
            image[y : y + 4, x : x + 4] = 255
        actions = np.zeros_like(first.actions)
        actions[:, :2] = (corners[:-1] / (20, 28) * 2 - 1).astype(np.float32)
        seen = {**first.observations, "front_rgb": images, "wrist_rgb": np.zeros_like(images)}
        seen = {name: seen[name] if name.endswith("rgb") else np.zeros_like(seen[name]) for name in seen}
        made.append(Episode(**{**vars(first), "observations": seen, "expert_actions": actions, "group": k}))
    settings = SETTINGS.model_copy(
        update={"width": 4, "chunk": 1, "steps": 200, "batch_size": 32, "parts": 1, "shift": 0}
    )
    with closing(WatchedSteps(made, settings.architecture)) as watched:
        losses = list[dict[str, float]]()
        learnt = clone_by_sight(watched, "x", settings, tell=lambda k, told: losses.append(told))
        errors = []
        for e in made[:5]:
            told = [learnt({name: values[t] for name, values in e.observations.items()}) for t in range(len(e))]
            errors.append(np.abs(np.stack(told)[:, :2] - e.expert_actions[:, :2]))  # type: ignore[index]
    assert np.concatenate(errors).mean() < 0.1  # of 2; a guess is wrong by 0.5
    assert losses[-1]["held_out"] < 0.2 * losses[0]["action"]


def test_it_knows_no_more_than_a_robot_does(episodes: list[Episode], policy: VisuomotorPolicy) -> None:
    now = {name: values[3] for name, values in episodes[0].observations.items()}
    action = policy(now)
    blind = np.zeros_like(now["observation"])
    for name in OWN:
        blind[CONFIG.interface.places[name]] = now["observation"][CONFIG.interface.places[name]]
    hidden = now | {"observation": blind}
    hidden |= {name: np.zeros_like(now[name]) for name in ("achieved_goal", "desired_goal")}
    assert np.array_equal(policy(hidden), action)
    assert not np.array_equal(policy(now | {"front_rgb": now["wrist_rgb"]}), action)


def test_what_is_stored_acts_the_same(tmp_path: Path, episodes: list[Episode], policy: VisuomotorPolicy) -> None:
    path = tmp_path / "policy.safetensors"
    policy.save(path)
    again = load_policy(str(path), CONFIG)
    now = {name: values[3] for name, values in episodes[0].observations.items()}
    assert np.array_equal(again(now), policy(now)) and isinstance(again, VisuomotorPolicy)
    with pytest.raises(ConfigurationError, match=r"it sees state and rgb, not \['state'\]$"):
        load_policy(str(path), EnvConfig(task="reach"))
    with pytest.raises(ConfigurationError, match=r"by \['front', 'wrist'\] at \(32, 24\), not by \['front'\] at"):
        load_policy(str(path), EnvConfig(task="reach", observation=("state", "rgb")))
    with pytest.raises(ConfigurationError, match="task is 'reach', not 'push'"):
        load_policy(str(path), EnvConfig(task="push", **SEEN))
    with pytest.raises(ConfigurationError, match=r"'front_rgb' must be an image \(24, 32, 3\) of uint8, got \(3, 3\)"):
        policy(now | {"front_rgb": np.zeros((3, 3), np.uint8)})
    with pytest.raises(ConfigurationError, match=r"of uint8, got \(24, 32, 3\) of float32"):
        policy(now | {"front_rgb": now["front_rgb"].astype(np.float32)})
    document, tensors = read_stored(path)
    for name, wrong in (("own_std", tensors["own_std"] * 0), ("act.bias", tensors["act.bias"][:2])):
        write_stored(path, document, tensors | {name: wrong})
        with pytest.raises(ConfigurationError, match=f"cannot be used: the tensor '{name}' must be"):
            load_learnt(path)
    write_stored(path, document | {"architecture": document["architecture"] | {"width": 0}}, tensors)
    with pytest.raises(ConfigurationError, match="not a stored policy: .*width"):
        load_learnt(path)
    write_stored(path, document | {"architecture": 3}, tensors)
    with pytest.raises(ConfigurationError, match="not a stored policy"):
        load_learnt(path)


def test_onnx_acts_as_it_does(tmp_path: Path, episodes: list[Episode], policy: VisuomotorPolicy) -> None:
    runtime = pytest.importorskip("onnxruntime")
    policy.save(tmp_path / "policy.safetensors")
    made = simworld("export-policy", tmp_path, "--out", tmp_path / "policy.onnx")
    assert made.returncode == 0, made.stderr
    session = runtime.InferenceSession(str(tmp_path / "policy.onnx"))
    seen = {name: episodes[0].observations[name][:7] for name in ("observation", "front_rgb", "wrist_rgb")}
    found = session.run(["action"], seen)[0]
    each = [policy({name: values[t] for name, values in episodes[0].observations.items()}) for t in range(7)]
    np.testing.assert_allclose(found, each, atol=1e-4)
    assert np.ptp(found, axis=0).min() > 0


def test_stopped_it_goes_on_to_the_same_bits(tmp_path: Path, data: WatchedSteps, policy: VisuomotorPolicy) -> None:
    checkpoint, heard = tmp_path / "checkpoint.safetensors", list[int]()

    def stop(step: int, losses: dict[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clone_by_sight(data, "x", SETTINGS, tell=stop, checkpoint=checkpoint, every=2)
    after = clone_by_sight(data, "x", SETTINGS, tell=lambda k, _: heard.append(k), checkpoint=checkpoint)
    assert heard == [2, 3, 4]
    for one, other in zip(policy.network.state_dict().values(), after.network.state_dict().values(), strict=True):
        assert torch.equal(one, other) or not one.is_floating_point()
    with pytest.raises(ConfigurationError, match="another training"):
        clone_by_sight(data, "y", SETTINGS, checkpoint=checkpoint)


def test_what_diverges_is_told(data: WatchedSteps) -> None:
    wrong = SETTINGS.model_copy(update={"state_weight": 1e39})
    with pytest.raises(TrainingError, match="diverged"):
        clone_by_sight(data, "x", wrong)


def test_the_commands(tmp_path: Path, store: Path) -> None:
    tiny = ("--set", "width=2", "--set", "hidden=8", "--set", "batch_size=8")
    asked = ("train", REACH, "--algorithm", "visuomotor", "--demonstrations", str(store), "--steps", "4", *tiny)
    made = simworld(*asked, "--tensorboard", "--out", str(tmp_path / "run"))
    assert made.returncode == 0, made
    record = json.loads((tmp_path / "run/training.json").read_text())
    assert record["settings"]["cameras"] == ["front", "wrist"] and record["seconds"] > 0
    assert {"step", "action", "state", "held_out"} == record["curve"][-1].keys()
    assert verify(tmp_path / "run") == [] and [*tmp_path.glob("run/tensorboard/*tfevents*")]
    assert not [*tmp_path.glob("run/losses*"), *tmp_path.glob("run/*.seconds")]
    card = (tmp_path / "run/README.md").read_text()
    assert "images by front, wrist, and what a robot knows" in card
    assert f"6 episodes, {record['transitions']} steps, of an expert" in card and "Tests while" not in card
    # Which observes what the policy sees, though nobody asks for it.
    found = simworld("evaluate", REACH, "--policy", str(tmp_path / "run"), "--episodes", "1")
    assert found.returncode == 0 and "success" in found.stdout
    plain = ("rollout", REACH, "--policy", str(tmp_path / "run"), "--observation", "state", "--episodes", "1")
    assert_refused(simworld(*plain, "--out", str(tmp_path / "x")), "it sees state and rgb, not ['state']")
    assert_refused(simworld(*asked[:4], "--out", str(tmp_path / "x")), "visuomotor needs --demonstrations")
    assert_refused(simworld(*asked, "--epochs", "3", "--out", str(tmp_path / "x")), "--epochs")
    blind = tmp_path / "blind"
    write_rollouts(blind, REACH, episodes=2)
    with pytest.raises(ConfigurationError, match="needs pictures: make episodes with --observation state"):
        train_visuomotor(tmp_path / "y", REACH, blind)
    assert not (tmp_path / "x").exists() and not (tmp_path / "y").exists()


def test_other_pictures_are_refused(episodes: list[Episode]) -> None:
    other = SETTINGS.model_copy(update={"image_size": (24, 32)}).architecture
    with pytest.raises(ConfigurationError, match=r"'front_rgb' must be images \(32, 24, 3\), episode .* \(24, 32, 3\)"):
        WatchedSteps(episodes, other)
    with pytest.raises(ConfigurationError, match="'side_rgb' must be images .* has nothing"):
        WatchedSteps(episodes, SETTINGS.model_copy(update={"cameras": ("front", "side")}).architecture)
    seen = episodes[0].observations
    broken = replace(episodes[0], observations={**seen, "observation": seen["observation"] * np.float32(np.nan)})
    with pytest.raises(ConfigurationError, match=r"observation must be \d+ finite float32, episode \d+/0 has"):
        WatchedSteps([broken], SETTINGS.architecture)
    with pytest.raises(ConfigurationError, match="no demonstrations"):
        WatchedSteps([], SETTINGS.architecture)
    with closing(WatchedSteps(episodes[:1], SETTINGS.architecture)) as one:
        with pytest.raises(ConfigurationError, match="at least 2 scenes, got 1"):
            clone_by_sight(one, "x", SETTINGS)
        paths = [kept.path for kept in one._kept]
        assert paths and all(path.is_file() for path in paths)
    assert not any(path.exists() for path in paths)


def test_wrong_marks_are_refused(tmp_path: Path, store: Path, data: WatchedSteps) -> None:
    with pytest.raises(ConfigurationError, match=f"^{store}: marks are found by masks: make episodes with"):
        train_visuomotor(tmp_path, REACH, store, marks=("robot",))
    assert not any(tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match=r"^marks: must be those of the data, \[\], got \['robot'\]"):
        clone_by_sight(data, "x", SETTINGS.model_copy(update={"marks": ("robot",)}))
    for marks in (("box", "box"), tuple(map(str, range(9)))):
        with pytest.raises(ConfigurationError, match="^marks: must be different names, at most as many .* 8, got"):
            VisuomotorSettings(**dict(SETTINGS) | {"marks": marks})


def test_a_contract_of_pictures() -> None:
    asked: dict[str, Any] = {"env": REACH, "algorithm": "visuomotor", "success": 0.9, "minutes": 45}
    with pytest.raises(ConfigurationError, match="^cameras: must be there for visuomotor"):
        Contract(**asked, demonstrations=3)
    with pytest.raises(ConfigurationError, match="^demonstrations: must be there for cloning and visuomotor"):
        Contract(**asked, cameras=["front"])
    good = Contract(**asked, demonstrations=3, cameras=["front"], measured_under=["default", "unseen_looks"])
    assert good.options() == {"observation": ("state", "rgb"), "cameras": ("front",)}
    marked = Contract(**asked, demonstrations=3, cameras=["front"], settings={"marks": ["box"]})
    assert marked.options() == {"observation": ("state", "rgb", "segmentation"), "cameras": ("front",)}
    good.check()
    assert good.way(1)["cameras"] == ["front"] and good.way(1)["measured_under"] == ["default", "unseen_looks"]
    with pytest.raises(ConfigurationError, match="no preset 'unsen'"):
        Contract(**asked, demonstrations=3, cameras=["front"], measured_under="unsen").check()


def test_an_environment_of_it(policy: VisuomotorPolicy) -> None:
    with closing(make(EnvConfig(task="reach", **policy.architecture.options()))) as env:
        observation, _ = env.reset(seed=1)
        assert policy(observation).shape == (4,) and policy.architecture.difference(env.unwrapped.config) is None  # type: ignore[attr-defined]
