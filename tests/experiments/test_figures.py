"""Figures: made of what succeeds, or not at all."""

import numpy as np
import pytest

from simworld.experiments.figures import videos


def test_a_video_of_episodes_that_all_fail_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "SEEDS", range(2))
    monkeypatch.setattr(videos, "expert", lambda config: lambda observation: np.zeros(4))
    message = "simworld/PickAndPlace-v0 with panda: the expert succeeds in none of 2 episodes"
    with pytest.raises(RuntimeError, match=message):
        videos.episode("simworld/PickAndPlace-v0", "panda")
