"""The tasks of docs/tasks.md do as they stand there: made, checked, seen, rolled out, learnt."""

import importlib.util
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import command_line as in_process
import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import simworld as sw
from simworld.agents.policy import load_policy
from simworld.agents.reinforcement.training import ReinforcementSettings, reinforce
from simworld.datasets.store.verify import verify
from simworld.envs.env import ManipulationEnv
from simworld.envs.making import bare
from simworld.envs.terms import Fact
from simworld.errors import ConfigurationError
from simworld.experiments.cli.start import command_line

PAGE = (Path(__file__).parents[2] / "docs/tasks.md").read_text(encoding="utf-8")
MUG, BLOCK = "me/PlaceMug-v0", "me/SortBlock-v0"


def block(language: str, begin: str = "") -> str:
    """The first block of code of the page in a language that begins so."""
    found = re.search(rf"```{language}\n({re.escape(begin)}.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module", autouse=True)
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Both tasks, registered as the page says; the folder where they are."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "place_mug.py").write_text(block("python"))
    (folder / "sort_block.yaml").write_text(block("yaml"))
    spec = importlib.util.spec_from_file_location("place_mug", folder / "place_mug.py")
    assert spec is not None and spec.loader is not None
    sys.modules["place_mug"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["place_mug"])
    sw.register(BLOCK, folder / "sort_block.yaml")
    yield folder
    del sys.modules["place_mug"]
    for env_id in (MUG, BLOCK):
        del gym.registry[env_id]


def made(env_id: str, **options: Any) -> ManipulationEnv:
    env = gym.make(env_id, **options).unwrapped
    assert isinstance(env, ManipulationEnv)
    return env


@pytest.mark.parametrize(("env_id", "reward"), [(MUG, "shaped"), (MUG, "sparse"), (BLOCK, "dense"), (BLOCK, "sparse")])
def test_the_checkers_pass(env_id: str, reward: str) -> None:
    size = {"render_mode": "rgb_array", "render_width": 48, "render_height": 36}
    with closing(made(env_id, reward=reward, randomization="default", **size)) as env:
        check_env(env)
        sb3_check_env(env, warn=False)
        low, high = env.task.reward[reward].bounds
        env.reset(seed=3)
        env.action_space.seed(0)
        rewards = [env.step(env.action_space.sample())[1] for _ in range(30)]
        assert low <= min(rewards) and max(rewards) <= high
        # Goals alone say the reward of one: that has it for any goals.
        assert hasattr(env, "compute_reward") == ((env_id, reward) == (BLOCK, "sparse"))


@pytest.mark.parametrize("options", [{}, {"robot": "xarm6", "control": "joint_delta"}], ids=str)
@pytest.mark.parametrize("env_id", [MUG, BLOCK])
def test_an_expert_that_ships_does_them(env_id: str, options: dict[str, Any]) -> None:
    with closing(gym.make(env_id, randomization="default", **options)) as env:
        base = env.unwrapped
        assert isinstance(base, ManipulationEnv)
        result = sw.evaluate(sw.expert(base.config), env, range(4))
        words = base.task_description
    assert result.successes >= 3
    assert re.fullmatch(r".*\bthe\b.* (mug|block|cuboid|object)\b.*\bbox\b.*", words)


@pytest.mark.parametrize("env_id", [MUG, BLOCK])
def test_their_images_are_made(env_id: str, tmp_path: Path) -> None:
    sw.write_labelled_images(tmp_path, env_id, count=3, size=(48, 36))
    assert not verify(tmp_path)
    with closing(made(env_id, observation=["state", "rgb", "segmentation"], image_size=64)) as env:
        seen, _ = env.reset(seed=0)
        assert env.observation_space.contains(seen)
        assert env.instances["mug" if env_id == MUG else "block"] in seen["segmentation"]


@pytest.mark.parametrize("env_id", [MUG, BLOCK])
def test_they_are_rolled_out_and_learnt(env_id: str, tmp_path: Path) -> None:
    sw.write_rollouts(tmp_path / "episodes", env_id, episodes=2)
    episodes = list(sw.read_episodes(tmp_path / "episodes"))
    assert len(episodes) == 2 and episodes[0].infos["is_success"][-1]
    assert "{" not in episodes[0].instruction
    data = sw.transitions(episodes)
    config = sw.EnvConfig(task=sw.registered_tasks()[env_id])
    cloned = sw.clone(data, sw.CloningSettings(interface=config.interface, hidden=8, layers=1, epochs=1))
    with closing(gym.make(env_id)) as env, closing(gym.make(env_id)) as test_env:
        settings = ReinforcementSettings(steps=1024, hidden=8, evaluate_every=1024, evaluation_episodes=1)
        for policy in (cloned, reinforce(env, test_env, settings)):
            policy.save(tmp_path / "policy.safetensors")
            loaded = load_policy(str(tmp_path / "policy.safetensors"), config)
            seen, _ = env.reset(seed=5)
            assert np.array_equal(loaded(seen), policy(seen))


@pytest.mark.parametrize("env_id", [MUG, BLOCK])
def test_their_spec_is_json_with_the_whole_task(env_id: str) -> None:
    with closing(gym.make(env_id, randomization="default")) as env:
        assert env.spec is not None
        text = env.spec.to_json()
        with closing(gym.make(EnvSpec.from_json(text))) as again:
            one, two = (each.reset(seed=4)[0] for each in (env, again))
            assert all(np.array_equal(one[key], two[key]) for key in one)
    config = sw.EnvConfig(task=sw.registered_tasks()[env_id], randomization="default")
    assert sw.EnvConfig.from_json(config.to_json()) == config


def test_the_command_line_takes_a_file(registered: Path, tmp_path: Path) -> None:
    from simworld.experiments.cli.app import app

    file = registered / "sort_block.yaml"
    with pytest.raises(SystemExit) as ended:
        app(["rollout", str(file), "--episodes", "1", "--out", str(tmp_path / "out")])
    assert not ended.value.code
    assert len(list(sw.read_episodes(tmp_path / "out"))) == 1


def test_the_command_line_imports_the_module_of_an_id(
    registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"place_mug:{MUG}"
    (tmp_path / "broken_task.py").write_text("raise RuntimeError('of its own\\nin two lines')")
    (tmp_path / "place_mug.py").write_bytes((registered / "place_mug.py").read_bytes())
    monkeypatch.chdir(tmp_path)

    def simworld(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command_line(*map(str, arguments)), capture_output=True, text=True)

    arguments = ["rollout", own, "--robot", "xarm6", "--episodes", 11, "--workers", 2, "--out", "data"]
    made = simworld(*arguments)
    assert made.returncode == 0 and "(11 new)" in made.stdout, made.stderr
    (tmp_path / "data/episodes/00001.npz").unlink()
    again = simworld(*arguments)
    assert again.returncode == 0 and "(1 new)" in again.stdout, again.stderr
    trained = simworld("train", own, "--demonstrations", "data", "--epochs", 1, "--out", "policy")
    assert trained.returncode == 0, trained.stderr
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which a module's folder is added
    rows = json.loads(in_process.simworld("factors", own, "--json").stdout)
    assert {"objects.*.mass", "boxes.*.width"} <= {row["address"] for row in rows}
    for name, words in (
        (f"place_mug:{MUG[:-1]}1", f"did you mean '{MUG}'"),
        (f"plce_mug:{MUG}", "importing 'plce_mug' raised ModuleNotFoundError"),
        (f"broken_task:{MUG}", "importing 'broken_task' raised RuntimeError: of its own"),
    ):
        in_process.assert_refused(in_process.simworld("evaluate", name), words)


def test_what_is_registered_twice_is_refused(registered: Path) -> None:
    task = sw.registered_tasks()[MUG]
    for env_id in (MUG, "simworld/Reach-v0", "CartPole-v1"):
        with pytest.raises(ConfigurationError, match=f"register: the id '{env_id}' is registered already"):
            sw.register(env_id, task)
    for given in (3, None, "a b c", "me/Unversioned", "module:me/X-v0"):
        with pytest.raises(ConfigurationError, match="register: an id is a string such as 'me/PlaceMug-v0', got"):
            sw.register(given, task)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="register: task: must be a Task or the path of a YAML file, got 3"):
        sw.register("me/None-v0", 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="make: takes an EnvConfig, and gym.make an id; got 'simworld/Reach"):
        sw.make("simworld/Reach-v0")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"there_is_none.yaml: No such file"):
        sw.register("me/None-v0", registered / "there_is_none.yaml")
    assert "me/None-v0" not in gym.registry


def test_the_id_of_one_task_makes_no_other() -> None:
    for task in ("reach", sw.registered_tasks()[BLOCK]):
        with pytest.raises(TypeError, match="unexpected keyword argument 'task': 'me/PlaceMug-v0' has its own"):
            gym.make(MUG, task=task)


def test_a_term_of_ones_own_is_one_of_the_vocabulary() -> None:
    assert repr(sw.registered_tasks()[MUG].reward["shaped"]).count("lifted('mug')") == 1
    assert sw.terms.parse_term("lifted(mug, height=0.1)", Fact) != sw.terms.parse_term("lifted(mug)", Fact)


def test_workers_know_the_terms_of_a_module(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(registered))
    for engine in (sw.make_engine(1), sw.make_engine(2)):
        folder = tmp_path / type(engine).__name__
        sw.write_rollouts(folder / "episodes", MUG, episodes=2, policy="random", engine=engine)
        sw.write_labelled_images(folder / "images", MUG, count=2, size=(48, 36), engine=engine)
        assert not verify(folder / "episodes") and not verify(folder / "images")


def test_a_pickle_finds_the_terms_of_a_module(registered: Path, tmp_path: Path) -> None:
    with closing(made(MUG)) as env:
        env.reset(seed=3)
        (tmp_path / "env.pickle").write_bytes(pickle.dumps(env))
        pose = env.world.body_pose("mug").tolist()
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).world.body_pose('mug').tolist())"
    found = python(code, str(tmp_path / "env.pickle"), places=[str(registered)])
    assert json.loads(found.stdout) == pose
    lost = python(code, str(tmp_path / "env.pickle")).stderr.splitlines()[-1]
    assert lost.endswith("the module 'place_mug' cannot be imported in another process: No module named 'place_mug'")


def test_what_the_program_itself_defines_is_for_one_worker(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        block("python") + "\nimport sys\nfrom pathlib import Path\n"
        "sw.write_rollouts(Path(sys.argv[1]), 'me/PlaceMug-v0', episodes=2, engine=sw.make_engine(2))\n"
    )
    done = subprocess.run([sys.executable, program, tmp_path / "out"], capture_output=True, text=True)
    assert "the term 'lifted' is defined in the program that runs" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_what_a_file_says_imports_nothing(registered: Path) -> None:
    text = sw.registered_tasks()[MUG].to_json()
    code = f"import simworld as sw; sw.Task.from_json({text!r})"
    assert "unknown term 'lifted'" in python(code, places=[str(registered)]).stderr.splitlines()[-1]


def python(code: str, *arguments: str, places: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
    """What a process of its own says that finds modules in some places too."""
    path = os.pathsep.join([*places, *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )


def test_environments_of_the_module_are_made_in_processes_that_start_anew(
    registered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(registered))
    vector = gym.vector.AsyncVectorEnv([partial(gym.make, f"place_mug:{MUG}")], context="spawn")
    with closing(vector), closing(gym.make(MUG)) as env:
        many, one = vector.reset(seed=3)[0], env.reset(seed=3)[0]
        assert all(np.array_equal(many[key][0], one[key]) for key in one)


def test_what_is_observed_and_rewarded_may_be_ones_own() -> None:
    exec(block("python", '"""How far'), {"__name__": "my_terms"})
    plain = sw.registered_tasks()[BLOCK].to_plain()
    plain |= {"observe": ["tool()", "prop(block)", "offset(block)"], "reward": {"lift": "2 * height(block, most=0.1)"}}
    task = sw.Task(**plain)
    with closing(bare(sw.EnvConfig(task=task, randomization="default"))) as env:
        check_env(env, skip_render_check=True)
    with closing(bare(sw.EnvConfig(task=task))) as env:
        seen = env.reset(seed=0)[0]["observation"]
        places = env.config.interface.places
        tool, thing, offset = (seen[places[name]] for name in ("tool_position", "block_position", "block_offset"))
        assert np.allclose(offset, thing - tool, atol=1e-6)
        assert 0.0 <= env.step(np.zeros(4, np.float32))[1] < 2.0
