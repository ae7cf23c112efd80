"""Environments in processes of their own, of which one that ends is told in a sentence."""

from collections.abc import Callable
from functools import wraps
from multiprocessing.connection import wait
from typing import Any

from gymnasium.vector import AsyncVectorEnv
from gymnasium.vector.async_vector_env import AsyncState

from simworld.errors import WorkerError

_A_WHILE = 5.0
"""Seconds until a process whose pipe is closed has ended, at the most."""


def _told(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that raises WorkerError in place of what Python says of a pipe that is closed."""

    @wraps(method)
    def watched(self: "ProcessVectorEnv", *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (EOFError, ConnectionError):
            how, self._state = self._ended(), AsyncState.DEFAULT
            self.close(terminate=True)
            raise WorkerError(f"the process of {how}; the others were ended too") from None

    return watched


class ProcessVectorEnv(AsyncVectorEnv[Any, Any]):
    """Gymnasium's AsyncVectorEnv, that raises WorkerError where one of its processes has ended, and closes all then."""

    reset_async = _told(AsyncVectorEnv.reset_async)
    reset_wait = _told(AsyncVectorEnv.reset_wait)
    step_async = _told(AsyncVectorEnv.step_async)
    step_wait = _told(AsyncVectorEnv.step_wait)
    call_async = _told(AsyncVectorEnv.call_async)
    call_wait = _told(AsyncVectorEnv.call_wait)
    set_attr = _told(AsyncVectorEnv.set_attr)
    _check_spaces = _told(AsyncVectorEnv._check_spaces)

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """Close all environments; those whose process has ended are closed already."""
        if any(process.exitcode is not None for process in self.processes):
            self._state, terminate = AsyncState.DEFAULT, True  # whoever is waited for may never answer
        super().close_extras(timeout, terminate)

    def _ended(self) -> str:
        """Which environment's process ended, and how."""
        wait([process.sentinel for process in self.processes], _A_WHILE)
        for i, process in enumerate(self.processes):
            code = process.exitcode
            if code is not None:
                how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                return f"environment {i} of {self.num_envs} {how}"
        return f"one of {self.num_envs} environments does not answer"
