"""What may vary: distributions, the factors they belong to, and the scenes drawn from them."""

from simworld.building.factor import Factor
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.choices import Choice, Tagged
from simworld.distributions.compounds import HSV, Correlated, Mixture, Paired
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.geometric import InBox, InDisc, InFrustum, OnSurface, Rotation, RotationAbout
from simworld.distributions.text import parse
from simworld.distributions.univariate import Integers, LogUniform, Normal, TruncatedNormal, Uniform
from simworld.randomization.curriculum import AutomaticRandomization, Schedule, Span, Trial
from simworld.randomization.files import load_randomization, save_randomization
from simworld.randomization.presets import (
    DEFAULT,
    DYNAMICS,
    EXTREME,
    FULL,
    NONE,
    PRESETS,
    VISUAL,
    as_randomization,
    protocols,
)
from simworld.randomization.quotas.quota import Quota, read_quotas
from simworld.randomization.quotas.search import Candidate, Outcome, search_quotas
from simworld.randomization.quotas.tally import QuotaError
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import Sample, check_scenes, sample_scene

__all__ = [
    "DEFAULT",
    "DYNAMICS",
    "EXTREME",
    "FULL",
    "HSV",
    "NONE",
    "PRESETS",
    "VISUAL",
    "AutomaticRandomization",
    "Candidate",
    "Choice",
    "Constant",
    "Correlated",
    "Distribution",
    "Factor",
    "InBox",
    "InDisc",
    "InFrustum",
    "Integers",
    "LogUniform",
    "Mixture",
    "Normal",
    "OnSurface",
    "Outcome",
    "Paired",
    "Quota",
    "QuotaError",
    "Randomization",
    "Rotation",
    "RotationAbout",
    "Sample",
    "Schedule",
    "Span",
    "Tagged",
    "Trial",
    "TruncatedNormal",
    "Uniform",
    "as_randomization",
    "check_scenes",
    "from_plain",
    "load_randomization",
    "search_quotas",
    "parse",
    "protocols",
    "read_quotas",
    "sample_scene",
    "save_randomization",
]
