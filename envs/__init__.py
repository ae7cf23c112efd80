"""Gymnasium environments over simworld. Light to import: the environments themselves load when one is made."""

from simworld.envs.registration import ENV_IDS

__all__ = ["ENV_IDS"]
