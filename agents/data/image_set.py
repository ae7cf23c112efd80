"""Stored images as a torch dataset: labels are read at once, pictures when they are asked for."""

import hashlib
import io
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from simworld.agents.data.decoded import Decoded, Marks
from simworld.agents.data.example import Example, Picture, Things
from simworld.agents.data.labelled_thing import LabelledThing, together
from simworld.assets.catalogue import keypoint_names
from simworld.datasets.splits import hold_out
from simworld.datasets.store.fingerprint import Fingerprint
from simworld.datasets.store.label import Label, LabelAnnotation
from simworld.datasets.store.label_stream import KIND, ImagesRequest, read_labels
from simworld.datasets.store.manifest import read_checked
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest
from simworld.datasets.store.viewing_camera import ViewingCamera
from simworld.errors import ConfigurationError, DatasetError, nearest
from simworld.reading import PathLike, Record
from simworld.scene.model import DISTRACTOR


class _Image(Record):
    width: int
    height: int
    file_name: str
    segmentation_file: str
    camera: ViewingCamera


class _Pose(Record):
    rotation: tuple[float, ...]
    translation: tuple[float, ...]


class _About(Record):
    axis: tuple[float, float, float]


class _Mesh(Record):
    name: str
    digest: str
    scale: float
    stretch: tuple[float, float, float]


class _Annotation(Record):
    category_id: int
    bbox: tuple[float, float, float, float]
    instance_id: int
    pose_camera: _Pose
    mesh: _Mesh | None = None
    keypoints: tuple[float, ...] = ()
    symmetries_discrete: tuple[tuple[float, ...], ...] = ()
    symmetries_continuous: tuple[_About, ...] = ()


@dataclass(frozen=True)
class _Entry:
    name: str
    group: str
    image: _Image
    things: Things
    files: Mapping[str, Set[Fingerprint]]


class ImageSet(Dataset[Example]):
    """The images of a folder that `simworld images` wrote, as examples.

    `categories` are those that are learnt, by default all that are labelled in the folder, in its order, but for
    distractors; what is of others is not labelled. One that the folder does not know or that is named twice raises
    ConfigurationError, and so does a folder in which nothing is labelled. `points` (c, k) are the names of keypoints:
    those of a category are in its order, and at most as many as the most of any. `sizes` are the (height, width) of
    pictures that there are. Of the images there may be the `first` so many alone. What is broken or of another format
    raises DatasetError.
    """

    def __init__(self, folder: PathLike, categories: Sequence[str] | None = None, first: int | None = None) -> None:
        self.folder = Path(folder)
        asked = read_request(self.folder, KIND, ImagesRequest)
        if first is not None and not 1 <= first <= asked.count:
            raise ConfigurationError(f"first: must be 1 to {asked.count}, the images of {self.folder}, got {first}")
        known = asked.categories
        for category in categories or ():
            if category not in known:
                raise ConfigurationError(f"{self.folder}: there is no category {category!r}{nearest(category, known)}")
        if categories and len({*categories}) < len(categories):
            raise ConfigurationError(f"categories: each may be named once, got {list(categories)}")
        self.categories = tuple(categories or self._labelled(known))
        self.digest = content_digest(self.folder)
        self.points = tuple(keypoint_names(category) for category in self.categories)
        ids = {known.index(category) + 1: row for row, category in enumerate(self.categories)}
        self._entries = [self._entry(label, ids) for label in islice(read_labels(self.folder), first)]
        if first is not None:
            self.digest = hashlib.sha256(f"{self.digest}/{first}".encode()).hexdigest()
        self.sizes = frozenset((entry.image.height, entry.image.width) for entry in self._entries)
        if not any(len(entry.things) for entry in self._entries):
            raise ConfigurationError(
                f"{self.folder}: nothing of {list(self.categories)} is labelled in its {len(self)} images"
            )
        self._decoded = Decoded(*self.sizes) if len(self.sizes) == 1 else None

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Example:
        index = range(len(self))[index]
        entry = self._entries[index]
        image, instances = self._pixels(index)
        return Example(entry.name, image, instances, entry.things, **entry.image.camera.arrays())

    def _pixels(self, index: int) -> tuple[Picture, Marks]:
        """The picture and the instance ids of an image, decoded once."""
        if self._decoded is not None and (kept := self._decoded.get(index)) is not None:
            return kept
        image, files = self._entries[index].image, self._entries[index].files
        size = image.height, image.width
        picture = _png(self.folder, image.file_name, files, (*size, 3))
        marks = _png(self.folder, image.segmentation_file, files, size).astype(np.int32)
        if self._decoded is not None:
            self._decoded.put(index, picture, marks)
        return picture, marks

    def split(self, held_out: float) -> tuple[list[int], list[int]]:
        """The indices of what is learnt from and of what is held out, which share no scene."""
        return hold_out(self.groups, held_out)

    @property
    def groups(self) -> list[str]:
        """Of which scene each image is."""
        return [entry.group for entry in self._entries]

    def close(self) -> None:
        """Remove the decoded pictures from the disk, as happens anyway where a process ends by itself."""
        if self._decoded is not None:
            self._decoded.close()

    def _labelled(self, known: Sequence[str]) -> list[str]:
        """The categories of what is labelled, but for distractors."""
        found = {note.category_id for label in read_labels(self.folder) for note in label.annotations}
        return [name for number, name in enumerate(known, start=1) if number in found and name != DISTRACTOR]

    def _entry(self, label: Label, ids: dict[int, int]) -> _Entry:
        try:
            image = _Image.model_validate(label.image.model_dump(), strict=False)
            known = [note for note in label.annotations if note.category_id in ids]
            files = {name: {made} for name, made in label.files.items()}
            return _Entry(label.image.sample, label.image.group, image, self._things(known, ids), files)
        except ValueError as error:
            raise DatasetError(
                f"{self.folder}: the label of {label.image.sample} is of another form: {error}"
            ) from None

    def _things(self, notes: Sequence[LabelAnnotation], ids: dict[int, int]) -> Things:
        read = [_Annotation.model_validate(note.model_dump(), strict=False) for note in notes]
        things = [
            LabelledThing(
                category=ids[note.category_id],
                instance=note.instance_id,
                box=note.bbox,
                rotation=np.reshape(note.pose_camera.rotation, (3, 3)),
                translation=np.reshape(note.pose_camera.translation, 3),
                keypoints=np.reshape(note.keypoints, (-1, 3)),
                discrete=note.symmetries_discrete,
                axes=[about.axis for about in note.symmetries_continuous],
                mesh=note.mesh.model_dump_json() if note.mesh else "",
            )
            for note in read
        ]
        return together(things, max(map(len, self.points), default=0))


def _png(folder: Path, name: str, known: Mapping[str, Set[Fingerprint]], shape: tuple[int, ...]) -> NDArray[Any]:
    """The pixels of a PNG file, whose digest is checked; of another shape they raise DatasetError."""
    from PIL import Image, UnidentifiedImageError

    data = read_checked(folder, name, known)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            pixels = np.asarray(picture)
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{folder / name} is broken: {error}") from None
    if pixels.shape != shape:
        raise DatasetError(f"{folder / name} is broken: it must be of {shape} pixels, got {pixels.shape}")
    return pixels
