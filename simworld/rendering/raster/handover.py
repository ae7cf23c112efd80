"""Arrays that are handed over to compiled loops once, and stay: as the words that compiled code reads them from.

numba takes an argument apart whenever a compiled function is called, a third of a microsecond for each array. What many
frames are drawn from is written down instead as compiled code holds it, and a call gets its address.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

import numba
import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

types: Any = numba.types  # numba gives none of these functions a type
_unpacked: Any = cgutils.unpack_tuple
_populate: Any = arrayobj.populate_array
Tuple = TypeVar("Tuple", bound=tuple[Any, ...])

_SCALARS = {int: types.int64, float: types.float64}


class Handed(Generic[Tuple]):
    """A NamedTuple of arrays and numbers that is at an `address` for compiled loops, as long as this lives.

    Its fields say how many dimensions their arrays have: `Annotated[NDArray[np.float32], 2]`.
    """

    def __init__(self, value: Tuple) -> None:
        self.value = value
        self._words = np.array(_words(kind_of(type(value)), value), dtype=np.int64)
        self.address: int = self._words.ctypes.data


def reader(tuple_class: type[Tuple]) -> Callable[[Any], Tuple]:
    """What reads a NamedTuple of a class from its address, in compiled loops."""
    kind = kind_of(tuple_class)

    def read(typing_context: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(builder.inttoptr(arguments[0], context.get_value_type(kind).as_pointer()))

        return kind(types.int64), codegen

    return cast(Callable[[Any], Tuple], intrinsic(read))


def _array_at(typing_context: Any, address: Any, shape: Any, dtype: Any) -> Any:
    kind = types.Array(dtype.dtype, shape.count, "C")

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, sides = context.make_array(kind)(context, builder), _unpacked(builder, arguments[1])
        itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        strides = [itemsize]
        for side in reversed(sides[1:]):
            strides.insert(0, builder.mul(strides[0], side))
        data = builder.inttoptr(arguments[0], array.data.type)
        _populate(array, data=data, shape=sides, strides=strides, itemsize=itemsize, meminfo=None)
        return array._getvalue()

    return kind(types.int64, shape, dtype), codegen


array_at: Callable[..., Any] = intrinsic(_array_at)
"""In compiled loops: the array at an address, of a shape and a type: `array_at(address, (h, w), np.float32)`."""


@cache
def kind_of(hint: Any) -> Any:
    """numba's type for a NamedTuple class, or for what one of its fields is declared as."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if get_origin(hint) is Annotated:
        array, dimensions = get_args(hint)
        return types.Array(numba.from_dtype(np.dtype(get_args(get_args(array)[1])[0])), dimensions, "C")
    if get_origin(hint) is tuple:
        return types.BaseTuple.from_types(tuple(kind_of(part) for part in get_args(hint)))
    fields = get_type_hints(hint, include_extras=True)
    return types.NamedTuple([kind_of(part) for part in fields.values()], hint)


def _words(kind: Any, value: Any) -> list[int]:
    """A value as 64-bit words, in the order in which numba holds it."""
    if isinstance(kind, types.BaseTuple):
        parts = zip(kind.types, value, strict=True)
        return [word for part, one in parts for word in _words(part, one)]
    if isinstance(kind, types.Array):
        assert value.dtype == np.dtype(str(kind.dtype)) and value.ndim == kind.ndim and value.flags.c_contiguous, kind
        # Neither a count of references nor an owner: whoever hands over keeps it.
        return [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
    return [int(np.array(value, dtype=str(kind)).view(np.int64))]
