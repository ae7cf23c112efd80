"""What may vary: distributions, the factors they belong to, and the scenes drawn from them."""

from simworld.randomization.distributions import (
    HSV,
    Choice,
    Constant,
    Distribution,
    Integers,
    LogUniform,
    Normal,
    Uniform,
)
from simworld.randomization.randomization import DEFAULT, NOMINAL, NONE, PRESETS, Randomization, as_randomization
from simworld.randomization.sampling import Layout, Sample, sample_scene

__all__ = [
    "DEFAULT",
    "HSV",
    "NOMINAL",
    "NONE",
    "PRESETS",
    "Choice",
    "Constant",
    "Distribution",
    "Integers",
    "Layout",
    "LogUniform",
    "Normal",
    "Randomization",
    "Sample",
    "Uniform",
    "as_randomization",
    "sample_scene",
]
