"""Datasets on disk: atomic, resumable and verifiable."""

from simworld.datasets.episodes import (
    Episode,
    EpisodeReport,
    load_episodes,
    read_episodes,
    save_episodes,
    write_episodes,
)
from simworld.datasets.folder import OutputFolder, verify
from simworld.datasets.images import ImageReport, View, decode_depth, encode_depth, write_images
from simworld.datasets.minari import export_minari

__all__ = [
    "Episode",
    "EpisodeReport",
    "ImageReport",
    "OutputFolder",
    "View",
    "decode_depth",
    "encode_depth",
    "export_minari",
    "load_episodes",
    "read_episodes",
    "save_episodes",
    "verify",
    "write_episodes",
    "write_images",
]
