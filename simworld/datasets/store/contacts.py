"""The contacts of all instants of an episode as a few arrays: each instant has another number of them."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from simworld.errors import DatasetError
from simworld.scene.state import Contact

_COLUMNS = {
    "instances": (np.int32, (2,)),
    "links": (np.int32, (2,)),
    "normal_force": (np.float64, ()),
    "distance": (np.float64, ()),
    "normal": (np.float64, (3,)),
}
COUNT = "count"

Arrays = dict[str, NDArray[np.int32] | NDArray[np.float64]]


def pack_contacts(instants: Sequence[Sequence[Contact]]) -> Arrays:
    """`count` (instants,) and a row for each contact, one instant after the other, in the arrays of its fields."""
    flat = list(chain.from_iterable(instants))
    rows = {
        "instances": [(c.instance_a, c.instance_b) for c in flat],
        "links": [(c.link_a, c.link_b) for c in flat],
        "normal_force": [c.normal_force for c in flat],
        "distance": [c.distance for c in flat],
        "normal": [c.normal for c in flat],
    }
    packed: Arrays = {COUNT: np.array([len(contacts) for contacts in instants], dtype=np.int32)}
    for name, (dtype, shape) in _COLUMNS.items():
        packed[name] = np.array(rows[name], dtype=dtype).reshape(-1, *shape)
    return packed


def unpack_contacts(arrays: Mapping[str, NDArray[np.int32] | NDArray[np.float64]], instant: int) -> tuple[Contact, ...]:
    """The contacts of one instant."""
    begin = int(arrays[COUNT][:instant].sum())
    rows = slice(begin, begin + int(arrays[COUNT][instant]))
    instances, links = arrays["instances"][rows].tolist(), arrays["links"][rows].tolist()
    forces, distances = arrays["normal_force"][rows].tolist(), arrays["distance"][rows].tolist()
    normals = [(x, y, z) for x, y, z in arrays["normal"][rows].tolist()]
    return tuple(Contact(*a, *b, *c) for a, b, *c in zip(instances, links, forces, distances, normals, strict=True))


def check_contacts(arrays: Mapping[str, NDArray[np.int32] | NDArray[np.float64]], instants: int) -> None:
    """Raise DatasetError unless these are the contacts of so many instants."""
    if (count := arrays.get(COUNT)) is None:
        raise DatasetError(f"contacts/{COUNT} is missing")
    if count.dtype != np.int32 or count.shape != (instants,) or (count < 0).any():
        raise DatasetError(f"contacts/{COUNT} must be int32 of shape {(instants,)}, none of them negative")
    total = int(count.sum())
    for name in {*_COLUMNS, *arrays} - {COUNT}:
        if name not in arrays or name not in _COLUMNS:
            raise DatasetError(f"contacts/{name} is {'missing' if name in _COLUMNS else 'no part of contacts'}")
        dtype, shape = _COLUMNS[name]
        if arrays[name].dtype != dtype or arrays[name].shape != (total, *shape):
            found = f"{arrays[name].dtype} of {arrays[name].shape}"
            raise DatasetError(f"contacts/{name} must be {np.dtype(dtype)} of {(total, *shape)}, got {found}")
