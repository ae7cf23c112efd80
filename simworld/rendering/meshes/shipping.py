"""Makes what this package ships of meshes anew: `python -m simworld.rendering.meshes.shipping`, for ten minutes.

It does so for robots and objects that come with the package. Files that are as they should be stay.
"""

from collections.abc import Iterator

import numpy as np

from simworld.assets.catalogue import mesh, shipped as shipped_objects
from simworld.assets.robot_search import find_robot, robot_names
from simworld.cache import Arrays
from simworld.rendering.meshes.loading import COARSEST, FINEST, FULL_MESH, VERSION, level_arrays, mesh_bounds, mesh_key
from simworld.rendering.meshes.shipped import FOLDER, file_of, shipped
from simworld.writing import atomically


def sources() -> Iterator[str]:
    """The files that there are levels of."""
    for name in robot_names():
        yield from (str(visual.mesh) for visual in find_robot(name).visuals)
    yield from (mesh(name).visual_path for name in shipped_objects())


def ship(source: str) -> None:
    """Write the file of a mesh: its bounds, and its levels up to the one from which on the full mesh is drawn."""
    made: dict[str, Arrays] = {"bounds": {"bounds": mesh_bounds(source)}}
    for level in range(COARSEST, FINEST + 1):
        last = made.get(f"level {level - 1}", {})
        made[f"level {level}"] = last if last.keys() == FULL_MESH.keys() else level_arrays(source, level)
    arrays = {f"{what}/{name}": values for what, parts in made.items() for name, values in parts.items()}
    with atomically(file_of(mesh_key(source))) as part, open(part, "wb") as file:
        np.savez_compressed(file, version=np.array(VERSION), **arrays)  # type: ignore[arg-type]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = {file_of(mesh_key(source)): source for source in sources()}
    for path in set(FOLDER.glob("*.npz")) - wanted.keys():
        path.unlink()
    for source in wanted.values():
        if shipped(mesh_key(source), VERSION, "bounds") is None:
            ship(source)
            print(source, flush=True)


if __name__ == "__main__":
    main()
