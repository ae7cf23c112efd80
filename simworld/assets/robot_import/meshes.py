"""The mesh files that a URDF names, found as ROS and Bullet find them, and read whatever their format."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simworld.assets.importing.cleaning import cleaned
from simworld.assets.importing.mesh_reading import read_mesh
from simworld.assets.robot_import.link_masses import LinkPiece
from simworld.errors import ConfigurationError

_URL = re.compile(r"(package|model|file)://(.*)", re.DOTALL)
_MOST_TRIANGLES = 6_000
"""How many a file keeps."""


@dataclass
class MeshFiles:
    """Reads the meshes of a URDF at `urdf`; `packages` are folders of ROS packages, by name. Each is read once."""

    urdf: Path
    packages: Mapping[str, Path] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What was wrong with each file and was done about it, by its name."""
    _read: dict[Path, LinkPiece] = field(default_factory=dict)

    def __call__(self, name: str) -> LinkPiece:
        """The mesh in a file, in metres where the file says its unit; ConfigurationError where it cannot be used."""
        path = self.find(name)
        if path not in self._read:
            self._read[path] = self._cleaned(path)
        return self._read[path]

    def _cleaned(self, path: Path) -> LinkPiece:
        data = read_mesh(path)
        try:
            sound = cleaned(data, _MOST_TRIANGLES)
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: {error}") from None
        self.notes[path.name] = sound.notes
        return LinkPiece(sound.vertices * (data.unit or 1.0), sound.triangles, sound.colors)

    def find(self, name: str) -> Path:
        """The file that is meant; ConfigurationError where there is none."""
        url = _URL.fullmatch(name)
        scheme, rest = (url[1], url[2]) if url else ("", name)
        relative = Path(rest)
        package, inside = relative.parts[0] if relative.parts else "", Path(*relative.parts[1:])
        if scheme in ("package", "model") and package in self.packages:
            places = [self.packages[package] / inside]
        else:
            # Up from the URDF, as packages are folders beside or above it.
            above = self.urdf.absolute().parents
            places = [folder / relative for folder in above]
            places += [folder / inside for folder in above if folder.name == package]
            places += [folder / relative.relative_to("/") for folder in above if relative.is_absolute()]
        for place in places:
            if place.is_file():
                return place
        hint = f"; --package {package}=FOLDER says where it is" if scheme == "package" else ""
        raise ConfigurationError(f"{self.urdf.name}: there is no mesh {name!r} in {self.urdf.parent} or above{hint}")


def colored(piece: LinkPiece, color: tuple[float, float, float]) -> LinkPiece:
    """The piece with a colour where its file names none."""
    return piece._replace(colors=np.where(np.isnan(piece.colors), color, piece.colors))
