"""Every command and every block of docs/vision.md works as it stands there, with fewer images and steps."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from command_line import simworld
from PIL import Image

PAGE = (Path(__file__).parents[3] / "docs/vision.md").read_text()
COMMANDS = [shlex.split(line) for line in re.findall(r"^    simworld (.*)$", PAGE, re.MULTILINE)]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LESS = {"--count": "10", "--steps": "2", "--episodes": "1", "--size": "128x96"}
MORE = {
    "images": ["--size", "128x96"],
    "testset": ["--size", "64x48", "--count", "1", "--workers", "1"],
    "pick": ["--size", "64x48", "--renderer", "raster"],
    "train-vision": ["--batch-size", "2", "--workers", "0", "--size", "128x96"],
}


def test_the_page_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(picture).save("photo.jpg")
    assert len(COMMANDS) == 13 and len(BLOCKS) == 2
    for command in COMMANDS:
        shorter = [LESS.get(before, word) for before, word in zip(["", *command], command, strict=False)]
        result = simworld(*shorter, *MORE.get(command[0], []))
        assert result.returncode == 0, (command, result.stderr)
    for block in BLOCKS:
        exec(compile(block.replace("(320, 240)", "(64, 48)"), "docs/vision.md", "exec"), {"picture": picture})
    assert Path("seen/photo.png").is_file() and Path("found/photo.png").is_file() and Path("detector.onnx").is_file()
