"""Tests of the memory that a process keeps."""

import subprocess
import sys

import pytest

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


@pytest.mark.skipif(sys.platform != "linux", reason="only there memory can be kept")
def test_what_arrays_leave_is_used_again() -> None:
    told = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True).stdout.split()
    if told.pop() == "False":
        pytest.skip("another C library")
    before, after = map(int, told)
    # Of 5 times 50 MB, which are 12,800 pages of 4 kB each.
    assert after < 100 < before
