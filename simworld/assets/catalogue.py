"""The catalogue: all objects that can be in a scene by name, those that ship with simworld and the user's own."""

import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from simworld.assets.families import FAMILIES, family_file
from simworld.assets.generators import GENERATORS, generator_file
from simworld.assets.index import INDEX, MeshAsset, read_index
from simworld.assets.instances import instance, is_instance
from simworld.assets.roots import SHIPPED, roots
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array
from simworld.reading import read_bytes

_warned = set[str]()


def meshes() -> Mapping[str, MeshAsset]:
    """Every object of the catalogue that is a mesh, by its id: those that ship, then the user's own."""
    return _found(roots()).meshes


def left_out() -> str:
    """The end of a message about what is not in the catalogue: why objects of the user's are left out, if they are."""
    return "".join(f"; left out: {why}" for why in _found(roots()).left_out.values())


@cache
def shipped() -> tuple[str, ...]:
    """The ids of the meshes that ship with simworld, the same on every machine."""
    return tuple(asset.id for asset in read_index(SHIPPED))


def kinds() -> tuple[str, ...]:
    """What an object may be."""
    own = (name for name in meshes() if name not in shipped())
    return (*GENERATORS, *shipped(), *FAMILIES, *own)


def category(kind: str) -> str:
    """What a detector names an object of a kind."""
    if kind in FAMILIES:
        return FAMILIES[kind].category or kind
    return kind if kind in GENERATORS else mesh(kind).category


def categories() -> tuple[str, ...]:
    """What a detector names objects: first what ships, in the same order on every machine."""
    return tuple(dict.fromkeys(map(category, kinds())))


def kinds_of(name: str) -> tuple[str, ...]:
    """The kind of a name, or else all kinds of the tag or the category of that name; ConfigurationError if none is."""
    if name in AllKinds():
        return (name,)
    found = tags().get(name) or tuple(kind for kind in kinds() if category(kind) == name)
    if not found:
        known = (*AllKinds(), *tags(), *categories())
        raise ConfigurationError(f"no kind, tag or category of objects {name!r}{nearest(name, known)}{left_out()}")
    return found


def keypoint_names(category: str) -> tuple[str, ...]:
    """The names of the keypoints that things of a category may have."""
    given = (family.keypoints for name, family in FAMILIES.items() if (family.category or name) == category)
    return tuple(dict.fromkeys(name for names in given for name in names))


@dataclass(frozen=True)
class AllKinds(Collection[str]):
    """The kinds that there are when it is asked, also those that were added since."""

    def __contains__(self, kind: object) -> bool:
        return kind in GENERATORS or kind in FAMILIES or kind in meshes()

    def __iter__(self) -> Iterator[str]:
        return iter(kinds())

    def __len__(self) -> int:
        return len(kinds())


def tags() -> Mapping[str, tuple[str, ...]]:
    """The kinds that carry a tag. Those of a tag that ships are the same on every machine; flat ones rest on a face."""
    folders = [folder for folder in reversed(roots()) if folder not in _found(roots()).left_out]
    return MappingProxyType({tag: kinds for folder in folders for tag, kinds in _tagged(folder).items()})


def mesh(name: str, digest: str = "") -> MeshAsset:
    """The object of a digest, whatever its name here, or of a name alone; ConfigurationError where there is none.

    An instance of a family is made when it is first asked for.
    """
    if is_instance(name):
        return _of_digest(instance(name), digest)
    if not digest:
        if name not in meshes():
            raise ConfigurationError(f"no mesh {name!r} in the catalogue{nearest(name, meshes())}{left_out()}")
        return meshes()[name]
    found = _by_digest(roots()).get(digest)
    if found is None:
        other = meshes().get(name)
        here = f"; the one here is {other.digest}" if other else ""
        raise ConfigurationError(
            f"no mesh {name!r} with the digest {digest} in the catalogue{here}; `simworld objects add` adds objects"
            f"{left_out()}"
        )
    return found


def _of_digest(asset: MeshAsset, digest: str) -> MeshAsset:
    if digest and asset.digest != digest:
        why = "another version of simworld made it"
        raise ConfigurationError(f"no {asset.id!r} with the digest {digest}; the one here is {asset.digest}: {why}")
    return asset


def forget() -> None:
    """Read the indexes again when they are next asked for."""
    _found.cache_clear()
    _tagged.cache_clear()
    _by_digest.cache_clear()


@lru_cache(maxsize=256)
def vertices(path: str) -> Array:
    """The vertices (n, 3) of an OBJ file."""
    lines = read_bytes(path).decode("utf-8").splitlines()
    return np.array([line.split()[1:4] for line in lines if line.startswith("v ")], dtype=float)


class _Found(NamedTuple):
    """The objects of some folders by id, and why those of a folder of the user's are left out."""

    meshes: Mapping[str, MeshAsset]
    left_out: Mapping[Path, str]


@lru_cache(maxsize=8)
def _found(folders: tuple[Path, ...]) -> _Found:
    """What ships works whatever is in the user's folders: an index there that cannot be used is left out."""
    found: dict[str, MeshAsset] = {}
    reasons: dict[Path, str] = {}
    for folder in folders:
        try:
            found |= _objects_of(folder, found)
        except ConfigurationError as error:
            if folder == SHIPPED:
                raise
            reasons[folder] = str(error)
            _warn(reasons[folder])
    return _Found(MappingProxyType(found), reasons)


def _objects_of(folder: Path, before: Collection[str]) -> dict[str, MeshAsset]:
    """The objects of a folder by id, none of which is in those `before` it; ConfigurationError for a wrong index."""
    found: dict[str, MeshAsset] = {}
    for asset in read_index(folder):
        made = generator_file if asset.id in GENERATORS else family_file if asset.id in FAMILIES else None
        if made and folder == SHIPPED:
            raise ConfigurationError(f"{made(asset.id)}: there is another {asset.id!r} in the catalogue")
        if asset.id in found or asset.id in before or made:
            raise ConfigurationError(f"{folder / INDEX}: there is another {asset.id!r} in the catalogue")
        if folder != SHIPPED and (own := set(asset.tags) & set(_tagged(SHIPPED))):
            raise ConfigurationError(f"{folder / INDEX}: {asset.id!r} has the tag {min(own)!r} of what ships")
        found[asset.id] = asset
    return found


def _warn(reason: str) -> None:
    if reason not in _warned:
        _warned.add(reason)
        warnings.warn(f"the objects of this index are left out: {reason}", stacklevel=2)


@lru_cache(maxsize=8)
def _tagged(folder: Path) -> Mapping[str, tuple[str, ...]]:
    made = (GENERATORS, FAMILIES) if folder == SHIPPED else ()
    tagged = [(kind, makers[kind].tags) for makers in made for kind in makers]
    found: dict[str, tuple[str, ...]] = {}
    for kind, own in (*tagged, *((asset.id, asset.tags) for asset in read_index(folder))):
        for tag in own:
            found[tag] = (*found.get(tag, ()), kind)
    return found


@lru_cache(maxsize=8)
def _by_digest(folders: tuple[Path, ...]) -> Mapping[str, MeshAsset]:
    return {asset.digest: asset for asset in reversed(list(_found(folders).meshes.values()))}
