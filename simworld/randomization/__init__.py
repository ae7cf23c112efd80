"""What may vary: distributions, the factors they belong to, and the scenes drawn from them."""

from simworld.randomization.distributions import (
    HSV,
    Choice,
    Integers,
    LogUniform,
    Normal,
    Uniform,
)
from simworld.randomization.expressions import Constant, Distribution, from_plain
from simworld.randomization.factors import FACTORS, NOMINAL, Factor
from simworld.randomization.randomization import DEFAULT, NONE, PRESETS, Randomization, as_randomization
from simworld.randomization.sampling import Layout, Sample, sample_scene

__all__ = [
    "DEFAULT",
    "FACTORS",
    "HSV",
    "NOMINAL",
    "NONE",
    "PRESETS",
    "Choice",
    "Constant",
    "Distribution",
    "Factor",
    "Integers",
    "Layout",
    "LogUniform",
    "Normal",
    "Randomization",
    "Sample",
    "Uniform",
    "as_randomization",
    "from_plain",
    "sample_scene",
]
