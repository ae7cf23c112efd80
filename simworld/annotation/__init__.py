"""From a Frame to its Labels, and to pictures of both."""

from simworld.annotation.draw import colorize_depth, colorize_segmentation, draw, instance_color
from simworld.annotation.labels import InstanceLabel, Labels, annotate, project

__all__ = [
    "InstanceLabel",
    "Labels",
    "annotate",
    "colorize_depth",
    "colorize_segmentation",
    "draw",
    "instance_color",
    "project",
]
