"""How what was learnt is stored: one safetensors file, which is read without running anything that is in it.

The header's metadata holds one JSON document under `simworld`, which says what the file is; all tensors are float32.
https://huggingface.co/docs/safetensors
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from simworld.datasets.folder import reporting, to_json, write_bytes
from simworld.errors import ConfigurationError

Tensors = dict[str, NDArray[np.float32]]

SUFFIX = ".safetensors"
MOST_BYTES = 2**28
"""Of a file: three times the largest network that settings allow, as a checkpoint holds its optimizer too."""
MOST_HEADER_BYTES = 2**20

_KEY = "simworld"
_LENGTH = 8  # bytes of the header's length, which comes first


def write_stored(path: Path, document: Mapping[str, Any], tensors: Tensors) -> None:
    """Write a document of JSON data and tensors, atomically: the same bytes for the same content.

    What cannot be written raises DatasetError.
    """
    contiguous = {name: np.asarray(tensors[name], dtype=np.float32, order="C") for name in sorted(tensors)}
    with reporting(path):
        write_bytes(path, save(contiguous, {_KEY: to_json(document).decode().strip()}))


def read_stored(path: Path) -> tuple[Any, Tensors]:
    """The document and the tensors of a file; ConfigurationError says what is wrong with it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        data = path.read_bytes()
        header = _header(data)
        kinds = {name: about.get("dtype") for name, about in header.items() if name != "__metadata__"}
        if wrong := next((name for name, kind in kinds.items() if kind != "F32"), None):
            raise ValueError(f"the tensor {wrong!r} must be F32, not {kinds[wrong]!r}")
        document = json.loads(header["__metadata__"][_KEY])
        tensors = load(data)
    except KeyError:
        raise ConfigurationError(f"{path} cannot be used: simworld did not write it") from None
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, SafetensorError) as error:
        raise ConfigurationError(f"{path} cannot be used: {error}") from None
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ConfigurationError(f"{path} cannot be used: the tensor {name!r} holds numbers that are not finite")
    return document, tensors


def _header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:_LENGTH], "little")
    if len(data) < _LENGTH or length > min(MOST_HEADER_BYTES, len(data) - _LENGTH):
        raise ValueError(f"its header must be of at most {MOST_HEADER_BYTES} bytes, and whole")
    header = json.loads(data[_LENGTH : _LENGTH + length])
    if not isinstance(header, dict):
        raise ValueError("its header is no mapping")
    return header
