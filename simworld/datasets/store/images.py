"""Datasets of labelled images.

    images/000000.png          what the camera's sensor delivers
    depth/000000.png           depth as the sensor delivers it
    depth_gt/000000.png        exact depth
    segmentation/000000.png    instance ids
    labels/00000.jsonl         a line for each of some images, with all that is known of it and the digests of its
                               pictures; it appears once all of them are there
    index.jsonl                a line for each image: its id, its sample and its group
    annotations.json           COCO: the labels of all images

What the fields and numbers mean is in `info` of `annotations.json`, and in `simworld.datasets.description`, which
writes it. Ids do not depend on what else is in the dataset: image i has id i + 1, categories count from 1 by name, and
an annotation's id is its image's times 100,000 plus its instance id.
"""

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from simworld.datasets.formats.coco import ANNOTATIONS, coco_chunks
from simworld.datasets.store.filling import Filled, Tell, Work, fill_shards, one_by_one
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.image_index import INDEX, index_chunks
from simworld.datasets.store.image_shard import Make, write_image_shard
from simworld.datasets.store.label import Label
from simworld.datasets.store.label_stream import KIND, LABELS, ImagesRequest, made_labels
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.pictures import picture_names
from simworld.datasets.store.request import FORMAT_VERSION
from simworld.datasets.store.shards import Shards
from simworld.errors import ConfigurationError, DatasetError
from simworld.extras import extras
from simworld.reading import PathLike
from simworld.writing import to_json


@dataclass(frozen=True)
class ImageReport:
    """What a dataset of images holds: `made` of its `images` are new, the others were there before.

    `groups` is how many different scenes, not counting variations, it shows, and `annotations` how many there are of
    each category. `redrawn` is a `tally` of the new ones, and `seed` what the request has of that name.
    """

    folder: Path
    seed: int | None
    images: int
    made: int
    groups: int
    annotations: Mapping[str, int]
    redrawn: Mapping[str, int] = field(default_factory=dict)


def write_images(
    folder: PathLike,
    request: Mapping[str, Any],
    count: int,
    categories: Sequence[str],
    make: Make,
    shard: int = 100,
    progress: Callable[[int], None] | None = None,
) -> ImageReport:
    """Write `count` images, or those of them that an interrupted run of the same request has not.

    `make(i)` makes image i and must depend on nothing but i and `request`, which with the other arguments is what a
    folder is recognised by. Things of other categories get no annotation. `progress` is told how many images there
    are. The dataset is valid at any instant: a kill loses the image it hits. Raises DatasetError.
    """
    with open_images(folder, request, count, categories, shard) as out:
        shards, names = _shards(out), out.request["categories"]

        def shard_of(numbers: range, tell: Tell) -> Filled:
            return write_image_shard(out.path, shards.of(numbers.start), numbers, names, make, tell)

        return fill_images(out, one_by_one(shard_of), progress)


def open_images(
    folder: PathLike,
    request: Mapping[str, Any],
    count: int,
    categories: Sequence[str],
    shard: int = 100,
    beside: Collection[str] = (),
) -> OutputFolder:
    """The folder of a dataset of images, as `write_images` has it, to be opened before it is filled.

    It may hold files of the names `beside` too.
    """
    if min(count, shard) < 1 or not categories:
        raise ConfigurationError(
            f"a dataset needs images and categories, got {count}, {shard} to a shard, and {list(categories)}"
        )
    with extras():
        import pycocotools  # noqa: F401 - it writes the masks, which would come hours from now
    names = sorted(set(categories))
    about = {"kind": KIND, "format_version": FORMAT_VERSION, "count": count, "shard": shard, "categories": names}
    own, shards = {ANNOTATIONS, INDEX, *beside}, Shards(LABELS, ".jsonl", count, shard)
    return OutputFolder(
        folder,
        {**about, **request},
        lambda name: name in own or shards.number(name) is not None,
        lambda name: _is_picture(name, count),
    )


def fill_images(out: OutputFolder, work: Work, progress: Callable[[int], None] | None = None) -> ImageReport:
    """Write the images that an open folder of `open_images` has not; see `write_images`.

    Shards of which nobody wrote down what they hold are made again.
    """
    shards, summary, made = _shards(out), _Summary(out.request["categories"]), Filled(0)
    labels = partial(made_labels, out.path, shards)
    if _is_finished(out, shards):
        deque(summary.heard(labels()), maxlen=0)
    else:
        try:
            made = fill_shards(out, shards, work, progress)
        except BaseException:
            # Where this fails too, as on a full disk, the shards that are there stay, and the first error counts.
            with suppress(DatasetError):
                _describe(out, labels, labels())
            raise
        _describe(out, labels, summary.heard(labels()))
        out.finish()
    seed = out.request.get("seed")
    return ImageReport(
        out.path, seed, shards.count, made.samples, len(summary.groups), summary.annotations, made.redrawn
    )


class _Summary:
    """How many groups and annotations there are; of a group, eight bytes are kept."""

    def __init__(self, categories: Sequence[str]) -> None:
        self.groups: set[int] = set()
        self._ids = dict(enumerate(categories, start=1))
        self.annotations = dict.fromkeys(categories, 0)

    def heard(self, labels: Iterable[Label]) -> Iterator[Label]:
        """The labels as they are, each counted."""
        for label in labels:
            self.groups.add(hash(label.image.group))
            for annotation in label.annotations:
                self.annotations[self._ids[annotation.category_id]] += 1
            yield label


def _shards(out: OutputFolder) -> Shards:
    return ImagesRequest.model_validate_json(to_json(out.request)).shards


def _is_finished(out: OutputFolder, shards: Shards) -> bool:
    beside = ANNOTATIONS, INDEX
    return out.has(MANIFEST) and all(map(out.is_whole, beside)) and all(out.is_whole(name) for name, _ in shards)


def _describe(out: OutputFolder, labels: Callable[[], Iterable[Label]], once: Iterable[Label]) -> None:
    """Write the index, of labels that are read `once`, and COCO's annotations, of those that are read again."""
    out.write(INDEX, index_chunks(once))
    out.write(ANNOTATIONS, coco_chunks(out.request, labels))


def _is_picture(name: str, count: int) -> bool:
    """Whether a file is a picture of one of so many images."""
    digits = re.fullmatch(r"\w+/(\d{6,18})\.png", name)
    return digits is not None and int(digits[1]) < count and name in picture_names(int(digits[1])).values()
