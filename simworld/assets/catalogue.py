"""The catalogue: all objects that can be in a scene by name, those that ship with simworld and the user's own."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from simworld.assets.generators import GENERATORS
from simworld.assets.index import INDEX, MeshAsset, read_index
from simworld.assets.roots import SHIPPED, roots
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array
from simworld.reading import read_bytes


def meshes() -> Mapping[str, MeshAsset]:
    """Every object of the catalogue that is a mesh, by its id: those that ship, then the user's own."""
    return _joined(roots())


@cache
def shipped() -> tuple[str, ...]:
    """The ids of the meshes that ship with simworld, the same on every machine."""
    return tuple(asset.id for asset in read_index(SHIPPED))


def kinds() -> tuple[str, ...]:
    """What an object may be."""
    return (*GENERATORS, *meshes())


def category(kind: str) -> str:
    """What a detector names an object of a kind."""
    return kind if kind in GENERATORS else mesh(kind).category


def categories() -> tuple[str, ...]:
    """What a detector names objects: first what ships, in the same order on every machine."""
    return tuple(dict.fromkeys(map(category, kinds())))


@dataclass(frozen=True)
class AllKinds(Collection[str]):
    """The kinds that there are when it is asked, also those that were added since."""

    def __contains__(self, kind: object) -> bool:
        return kind in GENERATORS or kind in meshes()

    def __iter__(self) -> Iterator[str]:
        return iter(kinds())

    def __len__(self) -> int:
        return len(kinds())


def tags() -> Mapping[str, tuple[str, ...]]:
    """The kinds that carry a tag. Those of a tag that ships are the same on every machine; flat ones rest on a face."""
    meshes()
    return MappingProxyType({tag: kinds for folder in reversed(roots()) for tag, kinds in _tagged(folder).items()})


def mesh(name: str, digest: str = "") -> MeshAsset:
    """The object of a digest, whatever its name here, or of a name alone; ConfigurationError where there is none."""
    if not digest:
        if name not in meshes():
            raise ConfigurationError(f"no mesh {name!r} in the catalogue{nearest(name, meshes())}")
        return meshes()[name]
    found = _by_digest(roots()).get(digest)
    if found is None:
        other = meshes().get(name)
        here = f"; the one here is {other.digest}" if other else ""
        raise ConfigurationError(
            f"no mesh {name!r} with the digest {digest} in the catalogue{here}; `simworld objects add` adds objects"
        )
    return found


def forget() -> None:
    """Read the indexes again when they are next asked for."""
    _joined.cache_clear()
    _tagged.cache_clear()
    _by_digest.cache_clear()


@lru_cache(maxsize=256)
def vertices(path: str) -> Array:
    """The vertices (n, 3) of an OBJ file."""
    lines = read_bytes(path).decode("utf-8").splitlines()
    return np.array([line.split()[1:4] for line in lines if line.startswith("v ")], dtype=float)


@lru_cache(maxsize=8)
def _joined(folders: tuple[Path, ...]) -> Mapping[str, MeshAsset]:
    found: dict[str, MeshAsset] = {}
    for folder in folders:
        for asset in read_index(folder):
            if asset.id in found or asset.id in GENERATORS:
                raise ConfigurationError(f"{folder / INDEX}: there is another {asset.id!r} in the catalogue")
            if folder != SHIPPED and (own := set(asset.tags) & set(_tagged(SHIPPED))):
                raise ConfigurationError(f"{folder / INDEX}: {asset.id!r} has the tag {min(own)!r} of what ships")
            found[asset.id] = asset
    return MappingProxyType(found)


@lru_cache(maxsize=8)
def _tagged(folder: Path) -> Mapping[str, tuple[str, ...]]:
    generated = GENERATORS.items() if folder == SHIPPED else ()
    tagged = [(kind, generator.tags) for kind, generator in generated]
    found: dict[str, tuple[str, ...]] = {}
    for kind, own in (*tagged, *((asset.id, asset.tags) for asset in read_index(folder))):
        for tag in own:
            found[tag] = (*found.get(tag, ()), kind)
    return found


@lru_cache(maxsize=8)
def _by_digest(folders: tuple[Path, ...]) -> Mapping[str, MeshAsset]:
    return {asset.digest: asset for asset in reversed(list(_joined(folders).values()))}
