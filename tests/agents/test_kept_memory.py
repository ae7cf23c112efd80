"""Tests of the memory that a process keeps."""

import platform
import subprocess
import sys

import pytest

from simworld.agents.learning import network_training
from simworld.agents.vision.seeing import SeeingNetwork, VisionArchitecture

COUNTED = """
import resource
import numpy as np
from simworld.agents.learning.kept_memory import keep_memory

def faults():
    [np.ones(2**16) for _ in range(100)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        [np.ones(2**16) for _ in range(100)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back, kept = faults(), keep_memory()
print(given_back, faults(), kept)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only by that memory can be kept")
def test_what_arrays_leave_is_used_again() -> None:
    told = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True).stdout.split()
    assert told.pop() == "True"
    before, after = map(int, told)
    # Of 5 times 50 MB, each 12,800 pages of 4 kB.
    assert after < 100 < before


def test_trainings_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list[bool]()
    monkeypatch.setattr(network_training, "keep_memory", lambda: kept.append(True))
    network = SeeingNetwork(
        VisionArchitecture(categories=("box",), points=((),), widths=(8, 8, 8, 8), depths=(1, 1, 1, 1))
    )
    settings = network_training.LearningSettings(parts=1)
    network_training.NetworkTraining(network, settings, "data").close()
    assert kept == [True]
