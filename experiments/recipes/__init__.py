"""The recipes behind the command line: each writes one folder, and goes on where it stopped."""

from simworld.experiments.recipes.environments import config_of, make_env
from simworld.experiments.recipes.labelled_images import VIEWS, categories, write_labelled_images
from simworld.experiments.recipes.policies import evaluate_policy, train_cloning, train_reinforcement
from simworld.experiments.recipes.replayed_images import write_replayed_images
from simworld.experiments.recipes.rollouts import RolloutRequest, check_export, export_rollouts, write_rollouts
from simworld.experiments.recipes.scenes import render_scene

__all__ = [
    "categories",
    "VIEWS",
    "RolloutRequest",
    "check_export",
    "config_of",
    "evaluate_policy",
    "export_rollouts",
    "make_env",
    "render_scene",
    "train_cloning",
    "train_reinforcement",
    "write_labelled_images",
    "write_replayed_images",
    "write_rollouts",
]
