"""Sheets of the first pictures of the test set, and of what the model that ships finds on them, for docs/vision.md."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from simworld.experiments.recipes.vision.predictions import predict
from simworld.experiments.recipes.vision.testset import write_testset

RESULTS = Path(__file__).parents[1] / "results"
COLUMNS, ROWS = 4, 3
SIZE = (240, 180)
"""Width and height of a picture of the test set on its sheet."""
FOUND, LARGER = 2, (480, 360)
"""The same of what was found, in so many columns and rows."""


def main() -> None:
    """Write the sheets."""
    with TemporaryDirectory() as folder:
        write_testset(Path(folder) / "images", count=COLUMNS * ROWS)
        sheets(sorted((Path(folder) / "images" / "images").iterdir())[: COLUMNS * ROWS], Path(folder) / "found")


def sheets(pictures: Sequence[Path], folder: Path) -> None:
    """Write the sheets of the first pictures of the test set; what is found on them goes into a folder."""
    sheet(pictures, COLUMNS, SIZE, RESULTS / "testset.png")
    predict(Path("household"), pictures, folder)
    drawn = [folder / path.name for path in pictures[: FOUND * FOUND]]
    sheet(drawn, FOUND, LARGER, RESULTS / "seen.png")


def sheet(paths: Sequence[Path], columns: int, size: tuple[int, int], file: Path) -> None:
    """Write pictures in rows of so many columns, each of a size."""
    shown = [np.asarray(Image.open(path).convert("RGB").resize(size, Image.Resampling.LANCZOS)) for path in paths]
    rows = [np.concatenate(shown[k : k + columns], axis=1) for k in range(0, len(shown), columns)]
    Image.fromarray(np.concatenate(rows)).save(file, optimize=True)


if __name__ == "__main__":
    main()
