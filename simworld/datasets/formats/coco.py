"""COCO's `annotations.json` of a dataset of images, written piece by piece: no more than a label is in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from simworld.assets.catalogue import keypoint_names
from simworld.datasets.description import SharedInstances, describe_images
from simworld.datasets.store.label import Label
from simworld.writing import to_json

ANNOTATIONS = "annotations.json"


def coco_chunks(request: Mapping[str, Any], labels: Callable[[], Iterable[Label]]) -> Iterator[bytes]:
    """The file in pieces: the entries of `labels`, which is called twice, and `info` about them and the request."""
    shared = SharedInstances()
    yield b'{"licenses":[],"categories":'
    yield _json([_category(i, name) for i, name in enumerate(request["categories"], start=1)])
    yield b',"images":['
    yield from _joined(shared.seen(label.image.model_dump()) for label in labels())
    yield b'],"annotations":['
    yield from _joined(annotation.model_dump() for label in labels() for annotation in label.annotations)
    yield b'],"info":'
    yield _json(describe_images(request, shared.instances))
    yield b"}\n"


def _category(number: int, name: str) -> dict[str, Any]:
    names = keypoint_names(name)
    keypoints = {"keypoints": names, "skeleton": []} if names else {}
    return {"id": number, "name": name, "supercategory": "object", **keypoints}


def _joined(entries: Iterable[Any]) -> Iterator[bytes]:
    """The elements of a list, each on a line."""
    separator = b"\n"
    for entry in entries:
        yield separator + _json(entry)
        separator = b",\n"


def _json(value: Any) -> bytes:
    return to_json(value).removesuffix(b"\n")
