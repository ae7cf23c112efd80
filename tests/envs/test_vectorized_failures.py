"""Many environments in one process: threads, forks and failures corrupt nothing, and what is not known is not given."""

import hashlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld.envs.making import bare
from simworld.envs.vectorized import VectorizedEnv, make_vectorized
from simworld.errors import ConfigurationError, DrawError
from tests.support.killing import forked

SEEN: dict[str, Any] = {"task": "place_in_box", "observation": "rgb", "image_size": 24, "threads": 2}
SECOND = np.array([False, True])


@contextmanager
def vector(n: int = 2, **options: Any) -> Iterator[VectorizedEnv]:
    with closing(make_vectorized(n, **SEEN | options)) as envs:
        envs.reset(seed=3)
        yield envs


def digest() -> str:
    """Of the pictures of a few steps."""
    with vector() as envs:
        seen = [envs.step(np.full((2, 4), action))[0] for action in (0.5, -1.0, 1.0)]
    return hashlib.sha256(np.stack(seen).tobytes()).hexdigest()


def meanwhile(envs: VectorizedEnv, monkeypatch: pytest.MonkeyPatch, other: Callable[[], Any]) -> Any:
    """What another thread gets, or the error that it does, in the middle of a step."""
    got: list[Any] = []

    def run() -> None:
        try:
            got.append(other())
        except ConfigurationError as error:
            got.append(error)

    step = envs.envs[1].step

    def between(action: Any) -> Any:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return step(action)

    with monkeypatch.context() as patch:
        patch.setattr(envs.envs[1], "step", between)
        envs.step(np.ones((2, 4)))
    return got[0]


@pytest.mark.parametrize("use", ["step", "reset", "render", "get_attr", "set_attr", "close"])
def test_one_thread_may_use_them_at_a_time(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, tuple[Any, ...]] = {"step": (np.ones((2, 4)),), "get_attr": ("spec",), "set_attr": ("mark", 1)}
    with vector() as envs, vector() as others:
        error = meanwhile(envs, monkeypatch, lambda: getattr(envs, use)(*given.get(use, ())))
        assert isinstance(error, ConfigurationError) and "in use by another thread" in str(error)
        others.step(np.ones((2, 4)))
        assert np.array_equal(envs.step(np.ones((2, 4)))[0], others.step(np.ones((2, 4)))[0])


def test_another_thread_may_use_one_of_them_which_is_not_acting(monkeypatch: pytest.MonkeyPatch) -> None:
    with vector() as envs, vector() as others:
        seen, _ = meanwhile(envs, monkeypatch, lambda: envs.envs[0].reset(seed=9))
        others.step(np.ones((2, 4)))
        assert np.array_equal(seen, others.envs[0].reset(seed=9)[0])
        assert np.array_equal(envs.step(np.ones((2, 4)))[0], others.step(np.ones((2, 4)))[0])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_step_that_fails_half_way_takes_a_reset_of_all(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with vector(autoreset_mode=mode) as envs, vector(autoreset_mode=mode) as others:
        with monkeypatch.context() as patch:
            patch.setattr(envs.envs[1], "step", lambda action: pytest.fail("it fails"))
            with pytest.raises(pytest.fail.Exception):
                envs.step(np.ones((2, 4)))
        with pytest.raises(ConfigurationError, match=r"no episode has begun in \[0, 1\]: call reset\(\) first"):
            envs.step(np.ones((2, 4)))
        with pytest.raises(ConfigurationError, match=r"reset_mask: must be true for \[0\], which have not begun"):
            envs.reset(options={"reset_mask": SECOND})
        assert np.array_equal(envs.reset(seed=4)[0], others.reset(seed=4)[0])
        assert np.array_equal(envs.step(np.ones((2, 4)))[0], others.step(np.ones((2, 4)))[0])


def test_an_episode_that_cannot_be_begun_in_the_same_step_is_not_begun_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    with vector(autoreset_mode="SameStep", max_episode_steps=1) as envs:
        with monkeypatch.context() as patch:
            patch.setattr(envs.envs[1].unwrapped, "_drawn", refuse)
            with pytest.raises(DrawError):
                envs.step(np.ones((2, 4)))
        with pytest.raises(ConfigurationError, match="no episode has begun"):
            envs.step(np.ones((2, 4)))


def test_a_reset_that_one_refuses_resets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with vector() as envs, vector() as others:
        with monkeypatch.context() as patch:
            patch.setattr(envs.envs[1].unwrapped, "_drawn", refuse)
            with pytest.raises(DrawError):
                envs.reset(seed=9)
        assert envs.get_attr("episode") == ((3, 0), (4, 0))
        assert np.array_equal(envs.step(np.ones((2, 4)))[0], others.step(np.ones((2, 4)))[0])
        assert np.array_equal(envs.reset(seed=5)[0], others.reset(seed=5)[0])


def test_a_reset_that_fails_half_way_takes_another_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with vector() as envs, vector() as others:
        seen = others.step(np.ones((2, 4)))[0]
        envs.step(np.ones((2, 4)))
        with monkeypatch.context() as patch:
            patch.setattr(envs.envs[1], "reset", lambda **_: pytest.fail("it fails"))
            with pytest.raises(pytest.fail.Exception):
                envs.reset(options={"reset_mask": SECOND})
        with pytest.raises(ConfigurationError, match=r"no episode has begun in \[1\]"):
            envs.step(np.ones((2, 4)))
        again, _ = envs.reset(seed=6, options={"reset_mask": SECOND})
        assert np.array_equal(again[0], seen[0]) and np.array_equal(again[1], others.envs[1].reset(seed=7)[0])


def test_what_is_foreseen_is_what_is_begun() -> None:
    with vector() as envs, closing(bare(envs.config)) as env:
        env.foresee(seed=5)
        with pytest.raises(ConfigurationError, match="no episode"):
            env.step(np.ones(4))
        env.reset(seed=6)
        assert env.episode == (6, 0)
        env.foresee()
        assert env.episode == (6, 0)
        foreseen, _ = env.reset()
        other, _ = env.reset(seed=6, options={"index": 1})
        assert np.array_equal(foreseen, other)


def test_they_go_on_in_a_forked_process() -> None:
    with vector() as envs, vector() as others:
        expected = others.step(np.ones((2, 4)))[0]

        def act() -> None:
            signal.alarm(20)  # which ends a child that hangs
            assert np.array_equal(envs.step(np.ones((2, 4)))[0], expected)

        assert forked(act) == 0
        assert np.array_equal(envs.step(np.ones((2, 4)))[0], expected)


def test_another_process_gives_the_same_bits() -> None:
    code = "from tests.envs.test_vectorized_failures import digest; print(digest())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split() == [digest()]


def test_what_was_never_whole_can_be_closed() -> None:
    envs: Any = VectorizedEnv.__new__(VectorizedEnv)
    with pytest.raises(AttributeError):
        envs.__init__(None, 2, None, None, 1)
    envs.close()


@pytest.mark.parametrize("seed", [np.array(3), np.int64(3), np.array([3, 4]), [3, np.int32(4)], (3, 4)])
def test_seeds_may_be_of_numpy(seed: Any) -> None:
    with closing(gym.make_vec("simworld/Reach-v0", 2)) as envs:
        envs.reset(seed=seed)
        assert envs.get_attr("episode") == ((3, 0), (4, 0))


def refuse(*_: object) -> None:
    raise DrawError("there is nothing to draw")
