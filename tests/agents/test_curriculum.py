"""The callbacks widen the ranges of whatever stable-baselines3 trains: by success, and by progress."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

import simworld  # noqa: F401
from simworld.agents.reinforcement.curricula import CurriculumCallback, CurriculumEnv, ScheduleCallback
from simworld.distributions.univariate import Uniform
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError
from simworld.randomization.curriculum import AutomaticRandomization, Schedule, Span, Trial
from simworld.randomization.randomization import Randomization

X, FRICTION, MASS = "goal.position.x", "table.friction", "objects.1.mass"
COMPETENCE = 0.05


class Standin(gym.Env[Any, Any]):
    """Lasts three steps and succeeds where |x| is at most the competence; the reset is kept."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
    randomization = Randomization({X: 0.0})
    config = EnvConfig(task="reach")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.options = options
        randomization = (options or {}).get("randomization", self.randomization)
        self.x = randomization[X](self.np_random)
        self.left = 3
        self.parameters = {X: self.x}
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        success = self.left == 0 and abs(self.x) <= COMPETENCE + 1e-9
        return np.zeros(1, np.float32), 0.0, success, self.left == 0 and not success, {"is_success": success}


def environments(n: int, kind: Callable[..., VecEnv] = DummyVecEnv, **options: Any) -> VecEnv:
    return kind([lambda: Monitor(CurriculumEnv(Standin()))] * n, **options)


def automatic(**options: Any) -> AutomaticRandomization:
    return AutomaticRandomization({X: Span(0.0, (-0.1, 0.1), 0.01)}, buffer=4, **options)


def ppo(envs: VecEnv) -> BaseAlgorithm:
    return PPO("MlpPolicy", envs, n_steps=128, batch_size=64, n_epochs=1, policy_kwargs={"net_arch": [4]}, device="cpu")


def finish(env: gym.Env[Any, Any]) -> dict[str, Any]:
    """The info of an episode's last step."""
    while True:
        _, _, terminated, truncated, info = env.step(np.zeros(1, np.float32))
        if terminated or truncated:
            return info
        assert "curriculum" not in info


def test_the_wrapper_runs_the_queued_trial_once() -> None:
    inner = Standin()
    env = CurriculumEnv(inner)
    env.reset(seed=3)
    assert inner.options is None and "curriculum" not in finish(env)
    env.queue(Trial(7, {X: 0.02}))
    env.queue(Trial(8, {X: 0.06}, (X, "high")))
    env.reset(options={"index": 4, "parameters": {FRICTION: 0.8, X: 0.0}})
    assert inner.options == {
        "index": 4,
        "randomization": Randomization({X: 0.06}),
        "parameters": {FRICTION: 0.8},
    }
    env.queue(Trial(9, {X: -0.05}))
    ended = {"number": 8, "parameters": {X: 0.06}, "boundary": (X, "high"), "performance": 0.0}
    assert finish(env)["curriculum"] == ended
    env.reset()
    assert finish(env)["curriculum"] == {"number": 9, "parameters": {X: -0.05}, "boundary": None, "performance": 1.0}
    env.reset()
    assert inner.options is None and "curriculum" not in finish(env)


def test_the_environments_take_the_trials_parameters() -> None:
    env = CurriculumEnv(gym.make("simworld/Reach-v0", max_episode_steps=2))
    trial = Trial(0, {FRICTION: 0.5, X: 0.1}, (X, "high"))
    env.queue(trial)
    env.reset(seed=1)
    drawn = env.get_wrapper_attr("parameters")
    assert {address: drawn[address] for address in trial.parameters} == trial.parameters
    env.step(np.zeros(4, np.float32))
    info = env.step(np.zeros(4, np.float32))[4]
    assert info["curriculum"] == {**vars(trial), "performance": 0.0}
    env.close()


def ended(env: gym.Env[Any, Any]) -> Trial:
    """The trial that the last step of an episode reports."""
    info: dict[str, Any] = {}
    while "curriculum" not in info:
        info = env.step(np.zeros(4, np.float32))[4]
    trial = dict(info["curriculum"])
    assert trial.pop("performance") == 0.0
    return Trial(**trial)


def test_what_is_not_in_every_episode_is_tested_where_it_is() -> None:
    env = CurriculumEnv(gym.make("simworld/PlaceInBox-v0", randomization="default", max_episode_steps=1))
    trial = Trial(0, {MASS: 0.123, FRICTION: 0.9}, (MASS, "high"))
    for count in (1, 2, 3):
        env.queue(trial)
        env.reset(seed=1, options={"parameters": {"objects.count": count}})
        drawn = env.get_wrapper_attr("parameters")
        assert drawn.get(MASS) == (None if count == 1 else 0.123)
        assert drawn["objects.0.mass"] != 0.123
        assert ended(env) == (Trial(0, trial.parameters) if count == 1 else trial)
    env.close()


@pytest.mark.parametrize(
    ("address", "tested"),
    [
        ("objects.*.mass", True),
        ("lights.3.azimuth", False),
        ("objects.1.mass", False),
        ("table.texture.size", False),
        (FRICTION, True),
    ],
)
def test_only_the_boundary_of_what_is_in_the_episode_counts(address: str, tested: bool) -> None:
    env = CurriculumEnv(gym.make("simworld/PlaceInBox-v0", max_episode_steps=1))
    adr = AutomaticRandomization({address: Span(0.05, (0.05, 0.06), 0.01)}, boundary_probability=1.0)
    env.queue(adr.draw(0))
    env.reset(seed=1)
    trial = ended(env)
    before = adr.to_plain()
    adr.tell(trial, 0.0)
    assert (trial.boundary is not None) == tested == (adr.to_plain() != before)
    env.close()


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ({MASS: Span(0.1, (0.05, 0.2), 0.01)}, "unknown factor 'objects.1.mass'"),
        ({X: Span(0.1, (0.0, 2.0), 0.01)}, "goal.position.x: must be a number from -0.3"),
    ],
)
def test_what_the_environment_does_not_have_is_refused_before_training(spans: Any, message: str) -> None:
    env = environments(1)
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=8, device="cpu")
    with pytest.raises(ConfigurationError, match=message):
        model.learn(8, CurriculumCallback(AutomaticRandomization(spans)))
    env.close()


@pytest.mark.parametrize(
    ("address", "own", "given", "second"),
    [
        ("objects.*.mass", {"objects.0.mass": 0.1}, {"objects.0.mass": 0.2}, 0.25),
        ("objects.0.mass", {"objects.*.mass": 0.1}, {"objects.*.mass": 0.2}, 0.2),
        ("objects.0.mass", {"objects.0.mass": 0.1}, {"objects.0.mass": 0.2, "objects.1.mass": 0.3}, 0.3),
    ],
)
def test_a_trial_wins_over_starred_and_single_addresses(
    address: str, own: dict[str, float], given: dict[str, float], second: float
) -> None:
    env = CurriculumEnv(gym.make("simworld/PlaceInBox-v0", randomization={"objects.count": 2, **own}))
    env.queue(Trial(0, {address: 0.25}))
    env.reset(seed=1, options={"parameters": given})
    drawn = env.get_wrapper_attr("parameters")
    assert drawn["objects.0.mass"] == 0.25
    assert drawn["objects.1.mass"] == second
    env.close()


@pytest.mark.slow
def test_training_goes_on_where_an_item_is_not_in_every_episode() -> None:
    def make() -> CurriculumEnv:
        return CurriculumEnv(gym.make("simworld/PlaceInBox-v0", randomization="default", max_episode_steps=4))

    adr = AutomaticRandomization({MASS: Span(0.1, (0.02, 1.0), 0.05)}, buffer=100, boundary_probability=1.0)
    model = PPO("MultiInputPolicy", DummyVecEnv([make]), n_steps=64, batch_size=64, n_epochs=1, device="cpu")
    model.learn(128, callback=CurriculumCallback(adr))
    told = sum(len(end["results"]) for end in adr.to_plain()["boundaries"][MASS].values())
    assert 0 < told < 128 // 4 - 1


@pytest.mark.parametrize("callback", [CurriculumCallback(automatic()), ScheduleCallback(Schedule({}))])
def test_environments_without_the_wrapper_are_refused(callback: BaseCallback) -> None:
    name = type(callback).__name__
    envs = DummyVecEnv([lambda: Monitor(CurriculumEnv(Standin())), lambda: Monitor(Standin())])
    with pytest.raises(ConfigurationError, match=f"{name}: every environment needs a CurriculumEnv around"):
        ppo(envs).learn(256, callback=callback)


def widens(envs: VecEnv, path: Path) -> None:
    callback = CurriculumCallback(automatic(), path)
    model = ppo(envs)
    model.learn(768, callback=callback)
    low, high = callback.adr.ranges[X]
    assert abs(low) == pytest.approx(COMPETENCE, abs=0.011) and high == pytest.approx(COMPETENCE, abs=0.011)
    saved = json.loads(path.read_text())
    assert saved["adr"] == json.loads(json.dumps(callback.adr.to_plain()))
    assert saved["number"] == 768 // 3 + 2  # one for each episode that ended, and one ahead
    again = CurriculumCallback(automatic(), path)
    assert again.adr.to_plain() == callback.adr.to_plain()
    model.learn(256, callback=again, reset_num_timesteps=False)
    assert json.loads(path.read_text())["number"] > saved["number"]
    envs.close()


def test_the_callback_widens_the_ranges_and_goes_on(tmp_path: Path) -> None:
    widens(environments(2), tmp_path / "curriculum.json")


@pytest.mark.slow
def test_the_callback_works_across_processes(tmp_path: Path) -> None:
    widens(environments(2, SubprocVecEnv, start_method="fork"), tmp_path / "curriculum.json")


def test_the_callback_works_off_policy() -> None:
    callback = CurriculumCallback(automatic())
    model = SAC(
        "MlpPolicy",
        environments(1),
        learning_starts=10_000,
        buffer_size=1000,
        policy_kwargs={"net_arch": [4]},
        device="cpu",
    )
    model.learn(300, callback=callback)
    assert callback.adr.entropy > np.log(0.03)
    assert model.logger.name_to_value["curriculum/high/" + X] == callback.adr.ranges[X][1]


def test_every_episode_after_the_first_is_a_trial_in_order() -> None:
    envs, callback = environments(3), CurriculumCallback(automatic())
    told: list[int] = []
    tell = callback.adr.tell

    def spy(trial: Trial, performance: float) -> None:
        told.append(trial.number)
        tell(trial, performance)

    callback.adr.tell = spy  # type: ignore[method-assign]
    ppo(envs).learn(384, callback=callback)
    assert told == list(range(len(told))) and len(told) == 3 * (128 // 3 - 1)


def test_training_repeats_exactly(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        ppo(environments(2)).learn(384, callback=CurriculumCallback(automatic(seed=2), tmp_path / name))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "curriculum.json"
    ppo(environments(1)).learn(128, callback=CurriculumCallback(automatic(), path))
    with pytest.raises(ConfigurationError, match="seed: must be what it was in the run to go on with, 0, got 1"):
        CurriculumCallback(automatic(seed=1), path)
    path.write_text("[]")
    for text in ("[]", "{", '{"number": -1, "adr": {}}'):
        path.write_text(text)
        with pytest.raises(DatasetError, match="is broken"):
            CurriculumCallback(automatic(), path)


STEPS = 40  # of an episode


class Recorder(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps the steps done before each episode and the parameters it was drawn with."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.steps = 0
        self.episodes: list[tuple[int, dict[str, Any]]] = []

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(**options)
        self.episodes.append((self.steps, self.env.get_wrapper_attr("parameters")))
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.steps += 1
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, False, truncated, info


def reach() -> Monitor[Any, Any]:
    own = {FRICTION: Uniform(0.4, 0.5), "gravity": Uniform(9.0, 9.2)}
    env = gym.make("simworld/Reach-v0", max_episode_steps=STEPS, randomization=own)
    return Monitor(Recorder(CurriculumEnv(env)))


def recorded(envs: VecEnv) -> list[list[tuple[int, dict[str, Any]]]]:
    return list(envs.get_attr("episodes"))


SCHEDULE = Schedule({FRICTION: [(0.0, (0.6, 0.6)), (1.0, (0.6, 1.0))]})


def check(episodes: list[tuple[int, dict[str, Any]]], total: int, n: int = 1) -> None:
    """Each episode but the first has the ranges at the end of the last but one: STEPS before it began."""
    assert 0.4 <= episodes[0][1][FRICTION] <= 0.5
    for steps, parameters in episodes[1:]:
        (distribution,) = SCHEDULE.at(min((steps - STEPS) * n / total, 1.0)).values()
        low, high = distribution.support()
        assert low <= parameters[FRICTION] <= high
    assert all(9.0 <= parameters["gravity"] <= 9.2 for _, parameters in episodes)
    assert max(parameters[FRICTION] for _, parameters in episodes) > 0.75


def test_the_ranges_are_put_over_the_environments_own() -> None:
    env = CurriculumEnv(gym.make("simworld/Reach-v0", randomization={"gravity": 9.0, FRICTION: 0.5}))
    env.randomize(Randomization({FRICTION: Uniform(0.8, 0.9)}))
    for options, gravity in ((None, 9.0), ({"randomization": {"gravity": 9.5, FRICTION: 0.6}}, 9.5)):
        env.reset(seed=1, options=options)
        drawn = env.get_wrapper_attr("parameters")
        assert drawn["gravity"] == gravity and 0.8 <= drawn[FRICTION] <= 0.9
    env.reset(options={"parameters": {FRICTION: 0.3}})
    assert env.get_wrapper_attr("parameters")[FRICTION] == 0.3
    env.queue(Trial(0, {FRICTION: 0.7}))
    env.reset()
    assert env.get_wrapper_attr("parameters")[FRICTION] == 0.7
    env.close()


@pytest.mark.parametrize("n", [1, 2])
def test_a_schedule_follows_the_training(n: int) -> None:
    envs, callback = DummyVecEnv([reach] * n), ScheduleCallback(SCHEDULE)
    total = 512 * n
    model = PPO("MultiInputPolicy", envs, n_steps=128, batch_size=64, n_epochs=1, seed=0, device="cpu")
    model.learn(total, callback=callback, log_interval=total)
    episodes = recorded(envs)
    assert [len(own) for own in episodes] == [1 + 512 // STEPS] * n
    for own in episodes:
        check(own, total, n)
    last = 512 // STEPS * STEPS * n / total
    assert callback.progress == last
    assert model.logger.name_to_value["curriculum/progress"] == last
    assert model.logger.name_to_value["curriculum/low/" + FRICTION] == 0.6
    assert model.logger.name_to_value["curriculum/high/" + FRICTION] == pytest.approx(0.6 + 0.4 * last)
    envs.close()


def test_a_stopped_training_goes_on_in_its_schedule() -> None:
    envs = DummyVecEnv([reach])
    options: dict[str, Any] = {"buffer_size": 1000, "policy_kwargs": {"net_arch": [4]}, "seed": 0, "device": "cpu"}
    model = SAC("MultiInputPolicy", envs, learning_starts=10_000, **options)

    class Stopped(ScheduleCallback):
        def _on_step(self) -> bool:
            return super()._on_step() and self.n_calls < 200

    model.learn(600, callback=Stopped(SCHEDULE))
    assert model.num_timesteps == 200
    model.learn(600 - 200, callback=ScheduleCallback(SCHEDULE), reset_num_timesteps=False)
    check(recorded(envs)[0], 600)
    envs.close()


def test_a_boundary_whose_value_was_not_used_does_not_count() -> None:
    env = CurriculumEnv(gym.make("simworld/PickAndPlace-v0", max_episode_steps=1))
    trial = Trial(0, {"goal.position.z": 0.2}, ("goal.position.z", "high"))
    # A goal on the table is at the height of the object.
    for on_table, boundary in ((0, trial.boundary), (1, None)):
        env.queue(trial)
        env.reset(seed=1, options={"parameters": {"goal.on_table": on_table}})
        assert ended(env).boundary == boundary
    env.close()
