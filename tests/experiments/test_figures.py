"""Figures: made of what succeeds, or not at all."""

import numpy as np
import pytest
from PIL import Image

from simworld.assets.robot_search import robot_names
from simworld.envs.tasks import shipped
from simworld.experiments.figures import videos


def test_a_video_of_episodes_that_all_fail_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "SEEDS", range(2))
    monkeypatch.setattr(videos, "expert", lambda config: lambda observation: np.zeros(4))
    message = "simworld/PickAndPlace-v0 with panda: the expert succeeds in none of 2 episodes"
    with pytest.raises(RuntimeError, match=message):
        videos.episode("simworld/PickAndPlace-v0", "panda")


def test_the_sheet_of_pairs_has_a_row_for_each_task_and_a_column_for_each_robot() -> None:
    width, height = videos.STILL
    with Image.open(videos.SHEET) as sheet:
        assert sheet.size == (len(robot_names()) * width, len(shipped()) * height)
