"""The disturbances of an episode are as large, as frequent and as late as its parameters say."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, cast

import gymnasium as gym
import numpy as np
import pytest

import simworld  # noqa: F401
from simworld.envs.config import EnvConfig
from simworld.envs.disturbances import Disturbances
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped, shipped_task
from simworld.geometry import Array, Vec3, quat_multiply
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Body, Part, Robot, Scene, Sphere
from simworld.streams import Streams

TASK = shipped_task("place_in_box")
CONFIG = EnvConfig(task=TASK)
FIELDS = CONFIG.interface.places
SIGMAS = 4.5
"""Standard errors that a measured value may be off: one in 150,000 is further, and the seeds are fixed."""

PLACES = ("tool_position", "object_position", "object_grip_position", "box_position")
MEASURED: Mapping[str, list[int]] = {
    "position": [i for name in PLACES for i in np.r_[FIELDS[name]]],
    "velocity": [i for name in ("tool_velocity", "object_velocity") for i in np.r_[FIELDS[name]][:3]],
    "angular_velocity": list(np.r_[FIELDS["object_velocity"]][3:]),
    "joint_position": list(np.r_[FIELDS["joint_positions"]]),
    "joint_velocity": list(np.r_[FIELDS["joint_velocities"]]),
}
"""Where in an observation each kind of error is; orientations, which are turned, are not among them."""
ORIENTATIONS = ("tool_orientation", "object_orientation")
TURNED = [(0.0, 0.0, 0.0, 1.0), (0.6, 0.0, -0.8, 0.0), (0.1, 0.7, 0.1, 0.7)]


def parameters(**given: Any) -> Mapping[str, Any]:
    """All that an episode has, nominal but for what is given."""
    return sample_scene(TASK.scene, NONE, Streams(0), given).parameters


def state(orientation: Sequence[float] = TURNED[0]) -> Array:
    values = np.linspace(-0.5, 0.5, CONFIG.interface.sizes["observation"])
    for name in ORIENTATIONS:
        values[FIELDS[name]] = np.array(orientation) / np.linalg.norm(orientation)
    return values


def observed(given: Mapping[str, Any], values: Array, steps: int) -> Array:
    """What is observed (steps, n) of a state that stays as it is."""
    disturbances = Disturbances(given, CONFIG.fields, None, Timing())
    seen = [disturbances.observe(values.astype(np.float32)).copy() for _ in range(steps)]
    return np.array(seen, dtype=np.float64)


def commanded(given: Mapping[str, Any], actions: Array) -> Array:
    disturbances = Disturbances(given, CONFIG.fields, None, Timing())
    return np.array([disturbances.command(action, lambda: np.zeros(4)) for action in actions])


def is_normal(errors: Array, deviation: float) -> bool:
    """Whether errors (n, k) have no mean and the deviation; chi-square with n degrees has a variance of 2 n."""
    n, units = len(errors), errors / deviation
    mean, square = np.abs(units.mean(axis=0)).max(), np.abs((units**2).mean(axis=0) - 1).max()
    return bool(mean < SIGMAS * (1 / n) ** 0.5 and square < SIGMAS * (2 / n) ** 0.5)


def are_independent(rows: Array) -> bool:
    """Whether the columns of rows (n, k) are uncorrelated, with each other and with the row before."""
    found = np.corrcoef(np.hstack([rows[1:], rows[:-1]]).T) - np.eye(2 * rows.shape[1])
    return bool(np.abs(found).max() < SIGMAS / len(rows) ** 0.5)


def is_uniform(values: Array, low: float, high: float) -> bool:
    """Kolmogorov and Smirnov's test at 0.1%."""
    n = len(values)
    at, steps = np.sort((values - low) / (high - low)), np.arange(n + 1) / n
    return bool(max((steps[1:] - at).max(), (at - steps[:-1]).max()) < 1.95 / n**0.5)


@pytest.fixture(scope="module")
def env() -> Iterator[ManipulationEnv]:
    options: dict[str, Any] = {"observation": ["state", "rgb"], "image_size": 16, "reward": "dense"}
    with closing(gym.make("simworld/PlaceInBox-v0", **options)) as made:
        yield cast(ManipulationEnv, made.unwrapped)


def run(env: ManipulationEnv, actions: Array, **given: Any) -> dict[str, Array]:
    """All that is seen, with the true joints and tool, (steps + 1, ...) of an episode where `given` is not nominal."""
    first, _ = env.reset(seed=3, options={"parameters": {"noise.seed": 5} | given})
    rows = [first | {"reward": 0.0, "joints": env.world.joints()[0], "tool": env.world.tool_pose()[:3]}]
    for action in actions:
        seen, reward, *_ = env.step(action)
        rows.append(seen | {"reward": reward, "joints": env.world.joints()[0], "tool": env.world.tool_pose()[:3]})
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


ACTIONS = np.random.default_rng(0).uniform(-1, 1, (60, 4))


@pytest.mark.parametrize("delay", [0.0, 6.0, 18.0, 30.0, 2.0, 9.0, 16.5])
def test_the_arm_does_what_was_wanted_as_long_ago_as_the_delay(delay: float) -> None:
    # Before the first action it was wanted to stay; between two of them they are mixed.
    wanted = np.vstack([np.zeros((7, 4)), ACTIONS])
    at, times = np.arange(60) - delay / 6, np.arange(-7, 60)
    expected = np.array([np.interp(at, times, column) for column in wanted.T]).T
    done = commanded(parameters(**{"control.delay": delay}), ACTIONS)
    if delay % 6 == 0:
        assert np.array_equal(done, expected)
    # Rounding of sums of numbers up to 1.
    np.testing.assert_allclose(done, expected, atol=1e-14)


@pytest.mark.parametrize("delay", [0.0, 6.0, 9.0])
def test_a_lost_action_is_what_holds_when_it_would_have_been_done(delay: float) -> None:
    """An arm that is sent to positions goes on to the last that arrived, not to zeros."""
    disturbances = Disturbances(
        parameters(**{"control.delay": delay, "control.drop": 0.5}), CONFIG.fields, None, Timing()
    )
    last, lost = np.full(4, 0.5), 0
    for action in np.abs(ACTIONS) + 0.1:
        aimed = disturbances.command(action, lambda last=last: last)
        lost += bool(np.array_equal(aimed, last))
        assert (aimed > 0.09).all()
        last = aimed
    assert 15 < lost < 45 or delay == 9.0


@pytest.mark.parametrize(("delay", "steps"), [(0.0, 0), (6.0, 1), (18.0, 3), (9.0, 1), (30.0, 5)])
def test_a_motion_starts_as_many_steps_later_as_the_delay(env: ManipulationEnv, delay: float, steps: int) -> None:
    idle = np.zeros((10, 4))
    impulse = idle.copy()
    impulse[3, 0] = 1.0
    still, moved = (run(env, actions, **{"control.delay": delay})["joints"] for actions in (idle, impulse))
    differs = (still != moved).any(axis=1)
    # Row 4 is the first after action 3.
    assert list(differs) == [False] * (4 + steps) + [True] * (7 - steps)


def test_as_many_actions_are_lost_as_stated() -> None:
    n, p = 10_000, 0.3
    actions = np.random.default_rng(1).uniform(0.1, 1, (n, 4))
    done = commanded(parameters(**{"control.drop": p}), actions)
    lost = (done == 0).all(axis=1)
    assert abs(lost.sum() - n * p) < SIGMAS * (n * p * (1 - p)) ** 0.5
    # Steps are independent: both of two that follow each other are lost p * p of the time.
    assert abs((lost[1:] & lost[:-1]).mean() - p * p) < SIGMAS * p / n**0.5
    assert np.array_equal(done[~lost], actions[~lost])


def test_the_noise_seed_alone_says_which_actions_are_lost() -> None:
    def pattern(seed: int, noise: int) -> list[bool]:
        given = sample_scene(TASK.scene, NONE, Streams(seed), {"control.drop": 0.5, "noise.seed": noise}).parameters
        return [not command.any() for command in commanded(given, ACTIONS)]

    assert pattern(0, 7) == pattern(1, 7) != pattern(0, 8)


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_the_state_is_observed_as_it_was_before_the_delay(env: ManipulationEnv, steps: int) -> None:
    now, late = (run(env, ACTIONS[:15], **{"observation.delay": k}) for k in (0, steps))
    assert np.array_equal(now["observation"][:, FIELDS["tool_position"]], now["tool"].astype(np.float32))
    assert np.array_equal(late["observation"][steps:], now["observation"][:-steps])
    assert (late["observation"][:steps] == now["observation"][0]).all()
    assert all(np.array_equal(late[key], now[key]) for key in now if key != "observation")


@pytest.mark.parametrize("kind", MEASURED)
def test_noise_has_the_stated_deviation_and_is_new_in_every_step(kind: str) -> None:
    deviation, values = 0.05, state()
    errors = observed(parameters(**{f"observation.noise.{kind}": deviation}), values, 3000) - values
    assert is_normal(errors[:, MEASURED[kind]], deviation)
    assert are_independent(errors[:, MEASURED[kind]])


@pytest.mark.parametrize("kind", MEASURED)
def test_a_bias_has_the_stated_deviation_and_stays_in_an_episode(kind: str) -> None:
    deviation, values, measured = 0.05, state(), MEASURED[kind]
    given = parameters(**{f"observation.bias.{kind}": deviation})
    episodes = [observed({**given, "noise.seed": seed}, values, 3) - values for seed in range(1500)]
    assert all((errors == errors[0]).all() for errors in episodes)
    first = np.array([errors[0] for errors in episodes])[:, measured]
    assert is_normal(first, deviation)
    assert are_independent(first)


@pytest.mark.parametrize("kind", MEASURED)
def test_noise_and_bias_add_up_and_are_of_their_fields_alone(kind: str) -> None:
    noise, bias = ({f"observation.{what}.{kind}": 0.05, "noise.seed": 4} for what in ("noise", "bias"))
    a, b, both = (observed(parameters(**given), state(), 200) - state() for given in (noise, bias, noise | bias))
    assert (b == b[0]).all()
    # Rounding of float32.
    np.testing.assert_allclose(both, a + b, atol=1e-6)
    assert np.abs(np.delete(both, MEASURED[kind], axis=1)).max() < 1e-7


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("what", ["noise", "bias"])
def test_orientations_are_turned_by_the_stated_deviation_about_each_axis(
    what: str, orientation: tuple[float, ...]
) -> None:
    deviation, values = 0.3, state(orientation)
    given = parameters(**{f"observation.{what}.orientation": deviation})
    if what == "noise":
        seen = observed(given, values, 3000)
    else:
        episodes = [observed({**given, "noise.seed": seed}, values, 2) for seed in range(3000)]
        assert all((rows == rows[0]).all() for rows in episodes)
        seen = np.array([rows[0] for rows in episodes])
    turns = np.hstack([_turns(seen[:, FIELDS[name]], values[FIELDS[name]]) for name in ORIENTATIONS])
    assert is_normal(turns, deviation)
    assert are_independent(turns)
    rest = np.delete(np.arange(len(values)), [i for name in ORIENTATIONS for i in np.r_[FIELDS[name]]])
    assert np.abs(seen[:, rest] - values[rest]).max() < 1e-7


def _turns(found: Array, true: Array) -> Array:
    """The rotation vectors (n, 3) by which quaternions (n, 4) are turned from the true one (4,)."""
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6
    assert (found[:, 3] >= 0).all()
    relative = quat_multiply(found, true * [-1, -1, -1, 1])
    relative *= np.sign(relative[:, 3:])
    sine = np.linalg.norm(relative[:, :3], axis=1, keepdims=True)
    return np.asarray(2 * np.arctan2(sine, relative[:, 3:]) * relative[:, :3] / sine)


def test_every_field_says_its_noise_and_there_are_factors_for_each_kind() -> None:
    for task in shipped().values():
        config = EnvConfig(task=task)
        for kind in {noise.kind for field in config.fields for noise in field.noise}:
            assert {f"observation.{what}.{kind}" for what in ("noise", "bias")} <= config.scene.space.keys()
        exact = {field.name for field in config.fields if not field.noise}
        ends = (
            "finger_opening",
            "_grasped",
            "_half_extents",
            "_direction",
            "_inner",
            "_axis",
            "_width",
            "_hole",
            "_friction",
        )
        assert all(name.endswith(ends) for name in exact)


def test_the_errors_of_a_field_do_not_depend_on_what_else_is_observed() -> None:
    given = {f"observation.{what}.{kind}": 0.1 for what in ("noise", "bias") for kind in (*MEASURED, "orientation")}
    drawn, alone = parameters(**given), [field for field in CONFIG.fields if field.name == "object_velocity"]
    whole = Disturbances(drawn, CONFIG.fields, None, Timing()).observe(state().astype(np.float32) * 0)
    assert np.array_equal(
        Disturbances(drawn, alone, None, Timing()).observe(np.zeros(6, np.float32)), whole[FIELDS["object_velocity"]]
    )


def test_goals_pictures_and_rewards_are_those_of_the_true_state(env: ManipulationEnv) -> None:
    errors = {f"observation.{what}.{kind}": 0.1 for what in ("noise", "bias") for kind in (*MEASURED, "orientation")}
    true, seen = (run(env, ACTIONS[:20], **given) for given in ({}, errors | {"observation.delay": 2}))
    place = env.world.body_pose("object")[:3]
    assert not (true["observation"] == seen["observation"]).all(axis=1).any()
    assert all(np.array_equal(true[key], seen[key]) for key in true if key != "observation")
    assert np.array_equal(seen["achieved_goal"][-1, :3], place.astype(np.float32))


class Pushes:
    """Keeps what it is told to push."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Vec3, Vec3]] = []

    def push(self, name: str, force: Vec3, torque: Vec3) -> None:
        self.made.append((name, force, torque))


def pushes(steps: int, given: Mapping[str, Any], pushed: str | None = "object") -> list[tuple[str, Vec3, Vec3]]:
    disturbances, world = Disturbances(parameters(**given), CONFIG.fields, pushed, Timing()), Pushes()
    for _ in range(steps):
        disturbances.push(cast(World, world))
    return world.made


def test_there_are_as_many_pushes_as_stated() -> None:
    for rate in (0.5, 5.0):
        n, p = 5000, rate / 25
        assert abs(len(pushes(n, {"pushes.rate": rate})) - n * p) < SIGMAS * (n * p * (1 - p)) ** 0.5
    assert len(pushes(100, {"pushes.rate": 25.0})) == 100
    assert pushes(100, {}) == pushes(100, {"pushes.rate": 25.0}, pushed=None) == []


@pytest.mark.parametrize("hz", [10, 25, 50])
def test_a_push_has_the_same_momentum_at_any_rate(hz: int) -> None:
    given = parameters(**{"pushes.rate": 10.0, "pushes.force": 3.0, "pushes.torque": 1.0})
    disturbances, world = Disturbances(given, CONFIG.fields, "object", Timing(hz, 150 // hz)), Pushes()
    for _ in range(400 * hz):
        disturbances.push(cast(World, world))
    made = np.array([both for _, *both in world.made])
    assert np.linalg.norm(made, axis=2).mean(axis=0) / hz == pytest.approx([1.5 * 0.04, 0.5 * 0.04], rel=0.05)


def test_pushes_are_uniform_in_strength_and_direction() -> None:
    made = pushes(3000, {"pushes.rate": 25.0, "pushes.force": 4.0, "pushes.torque": 0.5})
    assert {name for name, _, _ in made} == {"object"}
    lengths, directions = [], []
    for column, most in ((1, 4.0), (2, 0.5)):
        vectors = np.array([push[column] for push in made])
        length = np.linalg.norm(vectors, axis=1)
        assert is_uniform(length, 0.0, most)
        # Archimedes: the heights of points that are uniform on a sphere are uniform, along any axis.
        for axis in range(3):
            assert is_uniform(vectors[:, axis] / length, -1.0, 1.0)
        assert is_uniform(np.arctan2(vectors[:, 1], vectors[:, 0]), -math.pi, math.pi)
        lengths.append(length)
        directions.append(vectors / length[:, None])
    assert are_independent(np.column_stack([*lengths, *directions]))


@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (0.01, -0.004, 0.006)])
def test_a_push_gives_its_momentum_within_one_control_step(center: Vec3) -> None:
    ball = Body(
        name="ball", category="sphere", parts=(Part(shape=Sphere(radius=0.03)),), position=(0.0, 1.0, 2.0), mass=0.2,
        center_of_mass=center,
    )  # fmt: skip
    force, mass, dt, gravity = np.array([3.0, -2.0, 5.0]), 0.2, 0.04, np.array([0.0, 0.0, -9.81])
    with World() as world:
        world.load(Scene(robot=Robot(), bodies=(ball,)))
        world.step()
        before = world.body_velocity("ball")
        world.push("ball", tuple(force), (0.0, 0.0, 0.0))
        world.step()
        pushed = world.body_velocity("ball")
        world.step()
        after = world.body_velocity("ball")
    # Bullet's own damping is off: what is left is rounding.
    assert pushed[:3] - before[:3] == pytest.approx((force / mass + gravity) * dt, rel=1e-6)
    assert after[:3] - pushed[:3] == pytest.approx(gravity * dt, abs=1e-6)
    # At the centre of mass a force turns nothing.
    assert np.abs(after[3:]).max() < 1e-6


def test_an_object_on_a_slippery_table_is_pushed_by_the_episode(
    env: ManipulationEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    mass, made, push = 0.4, Pushes(), env.world.push

    def recorded(name: str, force: Vec3, torque: Vec3) -> None:
        made.push(name, force, torque)
        push(name, force, torque)

    monkeypatch.setattr(env.world, "push", recorded)
    slippery = {"objects.0.friction": 0.0, "objects.0.mass": mass, "pushes.rate": 5.0, "pushes.force": 0.4}
    env.reset(seed=3, options={"parameters": slippery | {"noise.seed": 2}})
    for _ in range(20):
        env.step(np.zeros(4))
    momentum = mass * env.world.body_velocity("object")[:2]
    given = 0.04 * np.sum([force[:2] for _, force, _ in made.made], axis=0)
    assert len(made.made) > 1 and np.abs(given).min() > 0.001
    # Contacts with the table push it sideways by no more than the solver's residual.
    assert momentum == pytest.approx(given, abs=1e-4)
