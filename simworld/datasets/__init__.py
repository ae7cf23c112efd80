"""Datasets on disk: atomic, resumable and verifiable."""

from simworld.datasets.formats.minari import export_minari, minari_source
from simworld.datasets.labelled import LabelledImage, Moment, photograph
from simworld.datasets.sample import SampleId
from simworld.datasets.splits import split_episodes, split_groups, split_images
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_file import load_episodes, save_episodes
from simworld.datasets.store.episode_reading import EpisodeReader, EpisodesRequest, read_episodes
from simworld.datasets.store.episodes import EpisodeReport, write_episodes
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.image_index import find_label, read_index
from simworld.datasets.store.images import ImageReport, write_images
from simworld.datasets.store.label_stream import ImagesRequest, read_labels
from simworld.datasets.store.pictures import decode_depth, encode_depth
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest, verify

__all__ = [
    "Episode",
    "EpisodeReader",
    "EpisodeReport",
    "EpisodesRequest",
    "ImageReport",
    "ImagesRequest",
    "LabelledImage",
    "Moment",
    "OutputFolder",
    "SampleId",
    "content_digest",
    "decode_depth",
    "encode_depth",
    "export_minari",
    "find_label",
    "load_episodes",
    "minari_source",
    "photograph",
    "read_episodes",
    "read_index",
    "read_labels",
    "read_request",
    "save_episodes",
    "split_episodes",
    "split_groups",
    "split_images",
    "verify",
    "write_episodes",
    "write_images",
]
