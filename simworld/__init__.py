"""simworld: a robot that puts things in a box, simulated, randomized, rendered and labelled."""

from simworld.envs.registration import ENV_IDS as ENV_IDS

__version__ = "0.1.0"
