"""Gymnasium environments over simworld. Light to import: the environments themselves load when one is made."""

from simworld.envs.registration import register, registered_tasks

__all__ = ["register", "registered_tasks"]
