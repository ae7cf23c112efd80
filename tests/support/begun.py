"""What worlds players begin episodes in."""

from typing import Any

import pytest

from simworld.agents.goals import play_process
from simworld.agents.goals.player import Player


def parameters_begun_with(monkeypatch: pytest.MonkeyPatch, address: str) -> list[Any]:
    """A list that grows by a parameter of each further episode that a player begins."""
    found = list[Any]()

    class Watched(Player):
        def begin(self, *given: Any) -> None:
            super().begin(*given)
            found.append(self.env.parameters[address])

    monkeypatch.setattr(play_process, "Player", Watched)
    return found
