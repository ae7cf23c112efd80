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
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model
from numba.np import arrayobj
from numpy.typing import NDArray

types: Any = numba.types  # numba gives none of these functions a type
_cgutils: Any = cgutils
_unpacked: Any = cgutils.unpack_tuple
_populate: Any = arrayobj.populate_array
_lower: Any = lower_getattr_generic
Tuple = TypeVar("Tuple", bound=tuple[Any, ...])

_SCALARS = {int: types.int64, float: types.float64}
_DATA, _SHAPE = range(2)
"""The words of an array: where its elements are, and its shape."""


class Handed(Generic[Tuple]):
    """A NamedTuple of arrays and numbers that is at an `address` for compiled loops, as long as this lives.

    Its fields say how many dimensions their arrays have: `Annotated[NDArray[np.float32], 2]`.
    """

    def __init__(self, value: Tuple) -> None:
        self.value = value
        self._words = np.array(_writer(_HandedType(type(value)))(value), dtype=np.int64)
        self.address: int = self._words.ctypes.data


class _HandedType(types.Type):  # type: ignore[misc]  # numba gives it no type
    """An address at which a NamedTuple of a class is: compiled loops read of it what they ask for."""

    def __init__(self, tuple_class: type[Any]) -> None:
        self.tuple_class: Any = tuple_class
        super().__init__(name=tuple_class.__name__)

    @property
    def key(self) -> Any:
        return self.tuple_class


@register_model(_HandedType)
class _HandedModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        start: Any = super().__init__
        start(manager, kind, _cgutils.intp_t)


@infer_getattr
class _HandedAttributes(AttributeTemplate):
    key = _HandedType

    def _kind(self, handed: Any, name: str) -> Any:
        return _places(handed.tuple_class).get(name, (None, 0))[0]

    generic_resolve: Any = _kind


def _field_of(context: Any, builder: Any, handed: Any, address: Any, name: str) -> Any:
    kind, words = _places(handed.tuple_class)[name]
    address = builder.add(address, context.get_constant(types.intp, 8 * words))
    return address if isinstance(kind, _HandedType) else _loaded(context, builder, kind, address)


_lower(_HandedType)(_field_of)


def _loaded(context: Any, builder: Any, kind: Any, address: Any) -> Any:
    """What is at an address, word by word: none of them changes while compiled code runs that reads it."""

    def word(number: int, as_type: Any) -> Any:
        place = builder.add(address, context.get_constant(types.intp, 8 * number))
        found = builder.load(builder.inttoptr(place, as_type.as_pointer()))
        found.set_metadata("invariant.load", builder.module.add_metadata([]))
        return found

    if isinstance(kind, types.Array):
        data = word(_DATA, context.get_data_type(kind.dtype).as_pointer())
        return _array(context, builder, kind, data, [word(_SHAPE + k, _cgutils.intp_t) for k in range(kind.ndim)])
    if isinstance(kind, types.BaseTuple):
        parts = [word(k, context.get_value_type(part)) for k, part in enumerate(kind.types)]
        return context.make_tuple(builder, kind, parts)
    return word(0, context.get_value_type(kind))


def _array(context: Any, builder: Any, kind: Any, data: Any, shape: Any) -> Any:
    """An array that nobody owns, of elements one after the other."""
    array = context.make_array(kind)(context, builder)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [itemsize]
    for side in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], side))
    _populate(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


def reader(tuple_class: type[Tuple]) -> Callable[[Any], Tuple]:
    """What reads a NamedTuple of a class from its address, in compiled loops: of its fields those that are used."""
    kind = _HandedType(tuple_class)

    def read(typing_context: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return arguments[0]

        return kind(types.int64), codegen

    return cast(Callable[[Any], Tuple], intrinsic(read))


def _array_at(typing_context: Any, address: Any, shape: Any, dtype: Any) -> Any:
    kind = types.Array(dtype.dtype, shape.count, "C")

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element = context.get_data_type(kind.dtype)
        data = builder.inttoptr(arguments[0], element.as_pointer())
        return _array(context, builder, kind, data, _unpacked(builder, arguments[1]))

    return kind(types.int64, shape, dtype), codegen


array_at: Callable[..., Any] = intrinsic(_array_at)
"""In compiled loops: the array at an address, of a shape and a type: `array_at(address, (h, w), np.float32)`."""


@cache
def _places(tuple_class: Any) -> dict[str, tuple[Any, int]]:
    """numba's type of each field of a NamedTuple class, and the number of words before it."""
    found, words = {}, 0
    for name, hint in get_type_hints(tuple_class, include_extras=True).items():
        found[name] = kind, _ = _kind_of(hint), words
        words += _size(kind)
    return found


def _kind_of(hint: Any) -> Any:
    """numba's type for what a field is declared as."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    if get_origin(hint) is Annotated:
        array, dimensions = get_args(hint)
        kind = get_args(array)[-1]  # up to NumPy 2.4 the dtype, of which the scalar is the argument
        return types.Array(numba.from_dtype(np.dtype((get_args(kind) or (kind,))[0])), dimensions, "C")
    if get_origin(hint) is tuple:
        return types.BaseTuple.from_types(tuple(_SCALARS[part] for part in get_args(hint)))
    return _HandedType(hint)


def _size(kind: Any) -> int:
    """How many words there are of a type."""
    if isinstance(kind, _HandedType):
        parts: list[Any] = [part for part, _ in _places(kind.tuple_class).values()]
        return sum(_size(part) for part in parts)
    if isinstance(kind, types.Array):
        return _SHAPE + int(kind.ndim)
    return len(kind.types) if isinstance(kind, types.BaseTuple) else 1


@cache
def _writer(kind: Any) -> Callable[[Any], list[int]]:
    """What makes 64-bit words of a value of a type, in the order in which they are read."""
    if isinstance(kind, _HandedType | types.BaseTuple):
        handed = isinstance(kind, _HandedType)
        kinds = [part for part, _ in _places(kind.tuple_class).values()] if handed else kind.types
        parts = [_writer(part) for part in kinds]
        return lambda value: [word for write, one in zip(parts, value, strict=True) for word in write(one)]
    if isinstance(kind, types.Array):
        like, dimensions = np.dtype(str(kind.dtype)), kind.ndim

        def write(value: NDArray[Any]) -> list[int]:
            assert value.dtype == like and value.ndim == dimensions and value.flags.c_contiguous, kind
            return [value.__array_interface__["data"][0], *value.shape]

        return write
    number = np.dtype(str(kind))
    return lambda value: [int(np.array(value, dtype=number).view(np.int64))]
