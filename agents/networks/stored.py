"""How what was learnt is stored: one safetensors file, which is read without running anything that is in it.

The header's metadata holds one JSON document under `simworld`, which says what the file is; all tensors are float32.
https://huggingface.co/docs/safetensors
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from safetensors import SafetensorError
from safetensors.numpy import load, save

from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import Record, parse_json, read_bytes
from simworld.writing import reporting, to_json, write_bytes

Tensors = dict[str, NDArray[np.float32]]

SUFFIX = ".safetensors"
MOST_BYTES = 2**28
"""Of a file: three times the largest network that settings allow, as a checkpoint holds its optimizer too."""
MOST_HEADER_BYTES = 2**20

_LENGTH = 8  # bytes of the header's length, which comes first


class _Metadata(Record):
    simworld: str


class _Tensor(Record):
    dtype: Literal["F32"]


class _Header(Record):
    """What is read of a header before safetensors reads the rest: who wrote it, and that all tensors are float32."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Tensor]

    metadata: _Metadata = Field(alias="__metadata__")


def write_stored(path: Path, document: Mapping[str, Any], tensors: Tensors) -> None:
    """Write a document of JSON data and tensors, atomically: the same bytes for the same content.

    What cannot be written raises DatasetError.
    """
    contiguous = {name: np.asarray(tensors[name], dtype=np.float32, order="C") for name in sorted(tensors)}
    with reporting(path):
        write_bytes(path, save(contiguous, {"simworld": to_json(document).decode().strip()}))


def read_stored(path: Path, most: int = MOST_BYTES) -> tuple[Any, Tensors]:
    """The document and the tensors of a file of no more bytes; ConfigurationError says what is wrong with it."""
    try:
        data = read_bytes(path, most)
        length = int.from_bytes(data[:_LENGTH], "little")
        if len(data) < _LENGTH or length > min(MOST_HEADER_BYTES, len(data) - _LENGTH):
            raise DatasetError(f"its header must be of at most {MOST_HEADER_BYTES} bytes, and whole")
        header = parse_json(data[_LENGTH : _LENGTH + length], _Header, "its header")
        document = parse_json(header.metadata.simworld, dict[str, Any], "its metadata")
        tensors = load(data)
    except (OSError, DatasetError, SafetensorError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConfigurationError(f"{path} cannot be used: {reason}") from None
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ConfigurationError(f"{path} cannot be used: the tensor {name!r} holds numbers that are not finite")
    return document, tensors
