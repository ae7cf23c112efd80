"""The network that sees: its trunk and its heads, how it is stored, and what it says of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator
from torch import nn

from simworld.agents.data.batch import Batch
from simworld.agents.data.framing import Framing, as_held, framed_image
from simworld.agents.learning.learners import LearningNetwork, numbers_of
from simworld.agents.networks.network import check_finite_weights, check_shapes, to_arrays, to_torch
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.settings import Settings, Whole
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.mask_head import MASK_STRIDE
from simworld.agents.vision.heads.presence_head import middle_cells, peaks, whole_enough
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.models import MODELS, told_in_mirrors
from simworld.agents.vision.photo_looks import LARGER, Photo, PhotoLook
from simworld.agents.vision.trunk import LEAST_SIDE, STRIDE, Features, Trunk
from simworld.datasets.store.folder import software
from simworld.errors import ConfigurationError
from simworld.geometry import Array
from simworld.plain import Plain, describe

Side = Annotated[Whole, Field(ge=LEAST_SIDE, le=1024, multiple_of=STRIDE)]
Depth = Annotated[Whole, Field(ge=0, le=16)]
Width = Annotated[Whole, Field(ge=4, le=512)]
Name = Annotated[str, Field(min_length=1, max_length=64)]

MOST = 50
"""Things that are told of an image: a cell's may be of several categories."""
LEAST_SCORE = 0.05
"""Of a thing that is told of, if nothing else is asked for."""
_TOGETHER = 16
"""Images that are seen at once."""


class VisionArchitecture(Settings):
    """What a network is: one of MODELS, what it knows by name, the size of image that it sees, and its widths.

    `points` are the keypoints of each category.
    """

    model: Literal["detector", "keypoints", "position", "pose", "all"] = "detector"
    categories: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
    points: tuple[tuple[Name, ...], ...]
    size: tuple[Side, Side] = (384, 288)
    widths: tuple[Width, Width, Width, Width] = (24, 48, 96, 96)
    depths: tuple[Depth, Depth, Depth, Depth] = (1, 2, 2, 1)
    features: Width = 48

    @model_validator(mode="after")
    def _points_of_each(self) -> Self:
        if len(self.points) != len(self.categories):
            raise ConfigurationError(
                f"points: must be of each of {len(self.categories)} categories, got {len(self.points)}"
            )
        return self


class _Document(Plain):
    """What a stored network says of itself; `settings`, `results` and `software` are for the reader's eyes."""

    kind: Literal["vision"] = "vision"
    format_version: Literal[3] = 3
    architecture: VisionArchitecture
    settings: dict[str, Any]
    results: dict[str, Any]
    software: dict[str, str]


@dataclass(frozen=True)
class Found:
    """The n things that were found on an image, the likeliest first, in its pixels.

    `categories` are indices into those of the network. What its heads do not tell, and what takes a camera's pose where
    that is not known, is None: `masks` (n, h, w), `keypoints` (n, p, 2), `positions` (n, 3) in metres in the world's
    frame, and `rotations` (n, 3, 3) to the camera's OpenCV frame.
    """

    scores: Array
    categories: NDArray[np.int64]
    boxes: Array
    masks: NDArray[np.bool_] | None = None
    keypoints: Array | None = None
    positions: Array | None = None
    rotations: Array | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: Any) -> Self:
        """Some of the things."""
        some: dict[str, Any] = {name: None if told is None else told[rows] for name, told in vars(self).items()}
        return type(self)(**some)

    def to_plain(self, architecture: VisionArchitecture) -> list[dict[str, Any]]:
        """All of it as JSON data, but for masks and places that are none: keypoints by their names."""
        told = []
        for k, category in enumerate(self.categories.tolist()):
            entry: dict[str, Any] = {"category": architecture.categories[category]}
            entry |= {"score": round(float(self.scores[k]), 4), "bbox": self.boxes[k].round(2).tolist()}
            if self.keypoints is not None:
                places = self.keypoints[k].round(2).tolist()
                entry["keypoints"] = dict(zip(architecture.points[category], places, strict=False))
            if self.positions is not None and np.isfinite(self.positions[k]).all():
                entry["position"] = self.positions[k].round(5).tolist()
            if self.rotations is not None:
                entry["rotation"] = self.rotations[k].round(5).tolist()
            told.append(entry)
        return told


class SeeingNetwork(LearningNetwork):
    """The trunk and its heads, with random weights; the same ones for the same seed."""

    def __init__(self, architecture: VisionArchitecture, seed: int = 0) -> None:
        super().__init__()
        self.architecture = architecture
        shape = Shape(architecture.categories, architecture.points, architecture.features, architecture.widths[0])
        # torch draws initial weights from its global generator, which is left as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.trunk = Trunk(architecture.widths, architecture.depths, architecture.features)
            heads = [head(shape) for head in MODELS[architecture.model]]
        self.parts = heads
        self.heads = nn.ModuleList(heads)
        for parameter in self.parameters():
            if parameter.dim() == 4:  # convolutions are quicker so
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The answers (n, ..., h, w) of each head to images (n, 3, h, w) of numbers in 0..255."""
        features = self._features(images)
        cells, told = Cells.everywhere(features.coarse), list[torch.Tensor]()
        for head in self.parts:
            answers = head(features, cells)
            cells = head.aimed(answers.permute(0, 2, 3, 1).flatten(0, 2), cells)
            told.append(answers)
        return tuple(told)

    def _features(self, images: torch.Tensor) -> Features:
        features: Features = self.trunk(images.to(memory_format=torch.channels_last))
        return features

    def losses(self, batch: Batch, precision: torch.dtype) -> dict[str, torch.Tensor]:
        """How wrong each head is about a batch, wherever its weights are."""
        device = next(self.parameters()).device
        height, width = (-(-side // STRIDE) for side in batch.images.shape[-2:])
        cells = answering(batch, height, width).to(device)
        batch = batch.to(device)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            features = self._features(batch.images.to(precision))
            told = list[tuple[Head, torch.Tensor, Cells]]()
            for head in self.parts:
                taught = head.taught(cells, len(batch.category))
                told.append((head, head.answers(features, taught), taught))
                cells = head.aimed(told[-1][1], cells)
        return {head.name: head.loss(answers, batch, taught) for head, answers, taught in told}

    def see(self, photos: Sequence[Photo], least: float = LEAST_SCORE) -> list[Found]:
        """What is on some images of any size, with a score of at least so much; what is tall is seen as a tall one."""
        self.eval()
        found: dict[int, Found] = {}
        with torch.no_grad():
            sizes = [as_held(self.architecture.size, photo.image.shape[1::-1]) for photo in photos]
            for size in sorted({*sizes}):
                rows = [k for k, own in enumerate(sizes) if own == size]
                for begin in range(0, len(rows), _TOGETHER):
                    some = rows[begin : begin + _TOGETHER]
                    found |= zip(some, self._see([photos[k] for k in some], size, least), strict=True)
        return [found[k] for k in range(len(photos))]

    def save(self, path: Path, settings: dict[str, Any] | None = None, results: dict[str, Any] | None = None) -> None:
        """Write everything, atomically; TrainingError if a weight is not finite."""
        check_finite_weights(self)
        document = _Document(
            architecture=self.architecture,
            settings=settings or {},
            results=results or {},
            software=software() | {"torch": torch.__version__},
        )
        write_stored(path, document.model_dump(mode="json"), to_arrays(numbers_of(self)))

    @classmethod
    def load(cls, path: Path) -> "SeeingNetwork":
        """Read what `save` wrote; ConfigurationError if it is something else, before any of it is built."""
        content, tensors = read_stored(path)
        try:
            document = _Document.model_validate(content)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is not a stored vision model: {describe(error)}") from None
        with torch.device("meta"):  # without numbers, which take memory and time
            check_shapes(path, tensors, numbers_of(cls(document.architecture)))
        network = cls(document.architecture)
        network.load_state_dict(to_torch(tensors), strict=False)
        return network.eval()

    def _looked(self, look: PhotoLook) -> tuple[Features, torch.Tensor]:
        """The features of photos, and how likely each cell is the middle of a thing."""
        features = self._features(look.images())
        return features, self.parts[0](features, Cells.everywhere(features.coarse)).float().sigmoid()

    def _see(self, photos: Sequence[Photo], size: tuple[int, int], least: float) -> list[Found]:
        first = PhotoLook.at(photos, size)
        looks = [first, first.again(LARGER, told_in_mirrors(self.architecture.model))]
        seen = [self._looked(look) for look in looks]
        shape = seen[0][1].shape[-2:]
        alike = [look.as_first(likely, shape) for look, (_, likely) in zip(looks, seen, strict=True)]
        there, cells = peaks(torch.stack([most for most, _ in alike]).mean(0), MOST)
        kept = there >= least
        cells = cells[kept]
        views = [
            _View(look, first, features, look.same(cells, places, likely.shape[-1]))
            for look, (features, likely), (_, places) in zip(looks, seen, alike, strict=True)
        ]
        told = first.cameras(cells)
        known = bool(told)
        for head in self.parts[1:]:
            if known or not head.needs_camera:
                says = [view.read(head, told) for view in views[: len(views) if head.again else 1]]
                told |= {name: torch.stack([each[name] for each in says]).mean(0) for name in says[0]}
        scores = there[kept, None] * told.pop("chances")
        cell, categories = (scores >= least).nonzero(as_tuple=True)
        scores, image, all_found = scores[cell, categories], cells.image[cell], list[Found]()
        for k, (photo, by) in enumerate(zip(photos, first.framings, strict=True)):
            mine = (image == k).nonzero()[:, 0]
            mine = mine[scores[mine].argsort(descending=True, stable=True)[:MOST]]
            likeliest = {name: values[cell[mine]] for name, values in told.items()}
            likeliest |= {"scores": scores[mine], "categories": categories[mine]}
            all_found.append(_found(likeliest, photo, by))
        return all_found


class _View:
    """What a look says of things, of which it has the cells."""

    def __init__(self, look: PhotoLook, first: PhotoLook, features: Features, cells: Cells) -> None:
        self._features, self._cells = features, cells
        self._aside = None if look is first else look.beside(first)
        self._cameras = look.cameras(cells) if self._aside else {}

    def read(self, head: Head, told: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What a head says, in the pixels of the first look, in which the heads before it have `told` something."""
        answers = head.answers(self._features, self._cells)
        says = head.read(answers, self._cells, told if self._aside is None else self._cameras)
        self._cells = head.aimed(answers, self._cells)
        return says if self._aside is None else head.as_first(says, self._aside)


def answering(batch: Batch, height: int, width: int) -> Cells:
    """The cells that answer for the things of a batch: the middle of each box, and those around that are in it.

    Where two things would have one, it is the smaller one's. Of what a window cut off most there is none.
    """
    row, column = middle_cells(batch.boxes, height, width)
    reach = (batch.boxes[:, 2:] / (2 * STRIDE)).clamp(0, 1).floor().long()
    whole = whole_enough(batch)
    down, along = (grid.flatten() for grid in torch.meshgrid(torch.arange(-1, 2), torch.arange(-1, 2), indexing="ij"))
    # The middles last: what is written last stays.
    order = (batch.boxes[:, 2:].prod(1) if len(batch.boxes) else batch.boxes.new_zeros(0)).argsort(descending=True)
    around = (down.abs() <= reach[order, 1:]) & (along.abs() <= reach[order, :1]) & whole[order, None]
    thing, place = around.nonzero(as_tuple=True)
    last = ((down[place] == 0) & (along[place] == 0)).long().argsort(stable=True)
    thing, place = order[thing[last]], place[last]
    rows, columns = row[thing] + down[place], column[thing] + along[place]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    thing, rows, columns = thing[inside], rows[inside], columns[inside]
    key = (batch.of[thing] * height + rows) * width + columns
    owner = np.full(len(batch) * height * width, -1)
    owner[key.numpy()] = thing.numpy()
    mine = torch.from_numpy(owner[key.numpy()]) == thing
    return Cells(batch.of[thing], rows, columns, thing)[mine]


def _found(told: dict[str, torch.Tensor], photo: Photo, framing: Framing) -> Found:
    """What was told of one image, in its own pixels."""
    height, width = photo.image.shape[:2]
    found: dict[str, Any] = {
        name: told[name].numpy() for name in ("scores", "categories", "positions", "rotations") if name in told
    }
    boxes = framing.undone(told["boxes"].numpy().astype(np.float64))
    low, high = (corner.clip(0, (width, height)) for corner in (boxes[:, :2], boxes[:, :2] + boxes[:, 2:]))
    found["boxes"] = np.concatenate([low, (high - low).clip(0)], axis=1)
    if "keypoints" in told:
        found["keypoints"] = (told["keypoints"].numpy() - framing.shift) / framing.scale
    if "masks" in told:
        found["masks"] = _enlarged(told["masks"], framing, boxes, (width, height))
    return Found(**found)


def _enlarged(logits: torch.Tensor, framing: Framing, boxes: Array, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The masks (n, h, w) of logits at MASK_STRIDE: each is enlarged alone, in its box and a pixel around that."""
    masks = np.zeros((len(boxes), size[1], size[0]), dtype=np.bool_)
    begin = np.ceil(boxes[:, :2] - 1.5).clip(0, size).astype(np.int64)
    end = np.floor(boxes[:, :2] + boxes[:, 2:] + 1.5).clip(0, size).astype(np.int64)
    origin = np.array(framing.shift) / framing.scale
    for mask, shown, corner, (right, bottom) in zip(masks, logits, begin, end, strict=True):
        left, top = corner.tolist()
        if left < right and top < bottom:
            across, down = (-origin - corner).tolist()
            by = Framing(MASK_STRIDE / framing.scale, 0.0, (across, down))
            inside = framed_image(shown[None], by, (right - left, bottom - top))
            mask[top:bottom, left:right] = inside[0].numpy() > 0
    return masks
