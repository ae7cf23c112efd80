"""Convex pieces of a mesh by CoACD, as a program: what is broken can crash or stall it, and nothing else.

Reads `vertices` and `triangles` from an .npz file, and writes the `corners` of all pieces, and how many each has in
`counts`, to another.
"""

import sys

import coacd
import numpy as np


def main(given: str, out: str, remesh: str, most: str) -> None:
    """Cut the mesh in the file `given` into at most so many, after it is made sound again if `remesh` is "on"."""
    coacd.set_log_level("error")
    with np.load(given) as arrays:
        mesh = coacd.Mesh(arrays["vertices"], arrays["triangles"])
    # Of its search's settings those that take seconds; the defaults take minutes and cut little better.
    pieces = coacd.run_coacd(
        mesh,
        threshold=0.06,
        max_convex_hull=int(most),
        preprocess_mode=remesh,
        preprocess_resolution=30,
        resolution=500,
        mcts_nodes=8,
        mcts_iterations=20,
        mcts_max_depth=2,
        seed=0,
    )
    counts = [len(corners) for corners, _ in pieces]
    np.savez(out, corners=np.concatenate([corners for corners, _ in pieces]), counts=counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
