"""A sheet of the first pictures of the test set, for docs/vision.md."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from simworld.experiments.recipes.testset import write_testset

SHEET = Path(__file__).parents[1] / "results" / "testset.png"
COLUMNS, ROWS = 4, 3
SIZE = (240, 180)
"""Width and height of a picture on it."""


def main() -> None:
    """Write the sheet."""
    with TemporaryDirectory() as folder:
        write_testset(Path(folder) / "images", count=COLUMNS * ROWS)
        paths = sorted((Path(folder) / "images" / "images").iterdir())
        shown = [np.asarray(Image.open(path).resize(SIZE, Image.Resampling.LANCZOS)) for path in paths]
    rows = [np.concatenate(shown[k : k + COLUMNS], axis=1) for k in range(0, len(shown), COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(SHEET, optimize=True)


if __name__ == "__main__":
    main()
