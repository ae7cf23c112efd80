"""Panoramas that are made of a seed: many different ones, with light of all kinds, and the same again."""

import subprocess
import sys

import numpy as np
import pytest

from simworld.rendering.textures.panorama import environment
from simworld.scene.light import PanoramaBackground

SEEDS = range(16)


def radiance(seed: int) -> np.ndarray:
    return environment(PanoramaBackground(seed=seed))


def test_a_panorama_is_a_function_of_its_seed_in_any_process() -> None:
    script = (
        "import hashlib; from simworld.rendering.textures.panorama import environment; "
        "from simworld.scene.light import PanoramaBackground; "
        "print(*[hashlib.sha256(environment(PanoramaBackground(seed=k)).tobytes()).hexdigest() for k in (3, 1, 2)])"
    )
    import hashlib

    here = [hashlib.sha256(radiance(seed).tobytes()).hexdigest() for seed in (3, 1, 2)]
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert here == there and len(set(here)) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_a_panorama_is_light_and_has_shapes(seed: int) -> None:
    made = radiance(seed)
    assert made.shape == (256, 256, 3) and made.dtype == np.float32 and np.isfinite(made).all()
    assert made.min() >= 0 and 0.02 < np.median(made) < 1.2
    horizon = made[96:160].std(axis=(0, 1)).max()
    assert horizon > 0.02


def test_panoramas_differ() -> None:
    means = np.array([radiance(seed).mean(axis=(0, 1)) for seed in SEEDS])
    assert np.ptp(means, axis=0).min() > 0.2
    assert all(np.abs(means - mean).max(axis=1).min() == 0 for mean in means)
    assert len({mean.tobytes() for mean in means}) == len(means)
