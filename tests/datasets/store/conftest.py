"""What tests of the store are given."""

import pytest

from tests.support.made_up_episodes import write
from tests.support.stored import contents


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a finished dataset."""
    path = tmp_path_factory.mktemp("made")
    write(path)
    return contents(path)
