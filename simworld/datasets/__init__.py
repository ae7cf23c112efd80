"""Datasets on disk: atomic, resumable and verifiable."""

from simworld.datasets.episode import Episode, load_episodes, save_episodes
from simworld.datasets.episodes import EpisodeReport, EpisodesRequest, read_episodes, read_request, write_episodes
from simworld.datasets.folder import OutputFolder, content_digest, verify
from simworld.datasets.images import ImageReport, View, decode_depth, encode_depth, write_images
from simworld.datasets.minari import export_minari, minari_source
from simworld.datasets.splits import split_episodes, split_groups, split_images

__all__ = [
    "Episode",
    "EpisodeReport",
    "EpisodesRequest",
    "ImageReport",
    "OutputFolder",
    "View",
    "content_digest",
    "decode_depth",
    "encode_depth",
    "export_minari",
    "load_episodes",
    "minari_source",
    "read_episodes",
    "read_request",
    "save_episodes",
    "split_episodes",
    "split_groups",
    "split_images",
    "verify",
    "write_episodes",
    "write_images",
]
