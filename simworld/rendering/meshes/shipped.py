"""What this package ships of the meshes of its robots and objects, made by `simworld.rendering.meshes.shipping`.

A file for each mesh, named by the digest of all that is read for it, with its levels of detail.
"""

from pathlib import Path

import numpy as np

from simworld.cache import Arrays

FOLDER = Path(__file__).parents[1] / "assets" / "levels"


def shipped(digest: bytes, version: int, what: str) -> Arrays | None:
    """What was made from a mesh; None of one that has no file, or one of another version."""
    try:
        with np.load(file_of(digest), allow_pickle=False) as file:
            if int(file["version"]) != version:
                return None
            start = f"{what}/"
            return {name[len(start) :]: file[name] for name in file.files if name.startswith(start)} or None
    except FileNotFoundError:
        return None


def file_of(digest: bytes) -> Path:
    """Where what ships of a mesh is."""
    return FOLDER / f"{digest.hex()[:32]}.npz"
