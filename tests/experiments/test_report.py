"""The report shows what a demo made, needs nothing but itself, and survives whatever is missing or broken."""

import json
import math
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from simworld.datasets.store.request import FORMAT_VERSION
from simworld.datasets.video import write_video
from simworld.errors import DatasetError
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.report.charts import Line, bars, decimals, histogram, line_chart, number, swatches, tag, ticks
from simworld.experiments.report.factor_charts import factor_groups
from simworld.experiments.report.page import duration, percent, write_report
from simworld.packages import BULLET
from simworld.writing import to_json

HOSTILE = "<script>alert('&')</script>"
VOID = {"meta", "img", "input", "link", "br", "hr"}


class Page(HTMLParser):
    """The elements and the text of a page; fails where they do not nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.missing = "", list[str]()
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if dict(attrs).get("class") == "missing":
            self.missing.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text += f" {' '.join(data.split())}"

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == name]


def put(folder: Path, name: str, content: Any) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def evaluation(name: str, env: str, policy: str, successes: int, **failures: int) -> dict[str, Any]:
    return {
        "name": name,
        "env_id": f"simworld/{env}-v0",
        "randomization": "default",
        "policy": policy,
        "first_seed": 0,
        "episodes": 100,
        "successes": successes,
        "success_rate": successes / 100,
        "interval": [successes / 100 - 0.06, 1.0],
        "mean_return": -40.2,
        "mean_length": 44.17,
        "failures": failures,
        "seconds": 9.2,
    }


def write_dataset(folder: Path, count: int) -> None:
    """A dataset of grey pictures with one labelled square each."""
    lines, index = [], []
    square = np.zeros((24, 32), dtype=np.uint8)
    square[8:16, 10:20] = 1
    rle = coco.encode(np.asfortranarray(square))
    for i in range(count):
        files = {f"{kind}_file": f"{kind}/{i:06d}.png" for kind in ("depth", "segmentation")}
        files["file_name"] = f"images/{i:06d}.png"
        depth = np.where(square, 8000, 0).astype(np.uint16)
        for name, picture in zip(files.values(), (depth, 5 * square, np.full((24, 32, 3), 99, np.uint8)), strict=True):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(folder / name)
        drawn = {
            "objects.count": 1 + i % 2,
            "objects.0.mass": 0.1 + 0.01 * i,
            "objects.0.kind": "duck",
            "boxes.0.yaw": 0.0,
        }
        drawn |= {"table.color": [0.1 * i, 0.5, 0.2], "objects.0.friction": 0.5 + 0.1 * math.sin(i)}
        about = {"sample": f"3/{i}/0/front", "group": f"3/{i}", "instances": [], "redrawn": {}}
        image = {"id": i + 1, "width": 32, "height": 24, **files, "parameters": drawn, **about}
        segmentation = {"size": rle["size"], "counts": rle["counts"].decode()}
        label = {"image_id": i + 1, "category_id": 1 + i % 2, "bbox": [10, 8, 10, 8], "segmentation": segmentation}
        annotation = {"id": i, "instance_id": 5, "name": "object", **label}
        lines.append(to_json({"image": image, "annotations": [annotation], "files": {}}))
        index.append(to_json({"id": i + 1, "sample": about["sample"], "group": about["group"]}))
    asked = {"kind": "images", "format_version": FORMAT_VERSION, "count": count, "shard": 100}
    put(folder, "request.json", asked | {"categories": ["duck", HOSTILE]})
    (folder / "labels").mkdir()
    (folder / "labels/00000.jsonl").write_bytes(b"".join(lines))
    (folder / "index.jsonl").write_bytes(b"".join(index))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small demo."""
    folder = tmp_path_factory.mktemp("demo")
    steps = [{"step": 2048 * i, "success": i / 10, "return": -20.5 + i, "length": 48.0} for i in range(1, 10)]
    training = {"algorithm": "ppo", "steps": 30000, "seconds": 45.1, "curve": steps, "settings": {"batch_size": 77}}
    put(folder, "reach/training.json", training)
    epochs = [{"epoch": i, "loss": 1 / i, "held_out": 1.1 / i} for i in range(1, 5)]
    cloning = {"algorithm": "cloning", "demonstrations": 300, "transitions": 23752, "seconds": 9.1, "curve": epochs}
    put(folder, "policy/training.json", cloning)
    put(
        folder,
        "evaluation/a.json",
        evaluation("Cloned agent", "PlaceInBox", "policy.safetensors", 97, **{"lost the object": 3}),
    )
    put(folder, "evaluation/b.json", evaluation("Scripted expert", "PlaceInBox", "expert", 99, **{HOSTILE: 1}))
    put(folder, "evaluation/c.json", evaluation("Reach agent", "Reach", "policy.safetensors", 100))
    put(folder, "rollouts/summary.json", {"dataset_id": "simworld/x-v0", "episodes": 301, "steps": 14001})
    demo = {
        "commands": [{"part": HOSTILE, "command": "simworld train --out 'a b' && echo <done>"}],
        "seconds": {HOSTILE: 61.2},
        "total_seconds": 312.4,
        "machine": machine_description(),
        "versions": versions(),
    }
    put(folder, "demo.json", demo)
    write_dataset(folder / "images", 14)
    (folder / "videos").mkdir()
    for name in ("place_in_box", "reach"):
        write_video(folder / f"videos/{name}.mp4", [np.full((16, 16, 3), 20 * i, np.uint8) for i in range(5)], 5)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of the folder of the demo."""
    return shutil.copytree(made, tmp_path / "demo")


def test_the_report_needs_nothing_but_itself(made: Path) -> None:
    path = write_report(made)
    assert path == made / "report.html"
    for element, attributes in Page(path).elements:
        assert element not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "poster", "srcset", "action", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), f"<{element} {name}={value[:60]}>"
    text = path.read_text(encoding="utf-8")
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text


def test_the_report_holds_the_numbers(made: Path) -> None:
    page = Page(write_report(made))
    assert page.missing == []
    for expected in (
        *("97%", "91.0 to 100.0%", "3 \N{MULTIPLICATION SIGN} lost the object", "97 of 100", "44.2 steps"),
        *("30,000 steps", "14,001 steps", "301", "5 min 12 s", "1 min 1 s", "300", "23,752", "77"),
        *("simworld train --out 'a b' && echo <done>", machine_description()["cpu"], versions()["numpy"]),
    ):
        assert expected in page.text, expected
    assert len(page.named("video")) == 2
    assert len(page.named("img")) == 12 + 2 * 3


def test_pictures_and_charts_say_what_they_show(made: Path) -> None:
    page = Page(write_report(made))
    assert all(image.get("alt") for image in page.named("img"))
    assert all(video.get("aria-label") for video in page.named("video"))
    assert all(svg.get("aria-label") or svg.get("aria-hidden") == "true" for svg in page.named("svg"))


def test_hostile_words_stay_words(made: Path) -> None:
    page = Page(write_report(made))
    assert len(page.named("script")) == 1
    assert page.text.count(HOSTILE) >= 4  # a failure, a part, a category in its chart and on its pictures


def test_the_report_is_the_same_every_time(made: Path) -> None:
    assert write_report(made).read_bytes() == write_report(made).read_bytes()
    assert [path for path in made.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("gone", "sections"),
    [
        ("reach/training.json", 1),
        ("policy/training.json", 1),
        ("evaluation", 1),
        ("videos/reach.mp4", 1),
        ("images", 2),
        ("images/depth/000000.png", 1),
        ("demo.json", 1),
        ("rollouts", 0),
    ],
)
def test_a_missing_part_is_one_line(folder: Path, gone: str, sections: int) -> None:
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = Page(write_report(folder))
    assert len(page.missing) == sections
    assert page.text.count(f"Not there: {gone}") == sections


def test_an_empty_folder_has_a_report(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path))
    assert len(page.missing) == 8 and "not evaluated" in page.text


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("reach/training.json", {"algorithm": "ppo"}, "steps: Field required"),
        ("reach/training.json", {"algorithm": "ppo", "steps": 1, "seconds": 1, "curve": []}, "curve"),
        ("evaluation/a.json", {"env_id": "simworld/Reach-v0", "episodes": "many"}, "a.json"),
        ("demo.json", [1, 2], "demo.json"),
        ("images/labels/00000.jsonl", {"image": {"id": 1}}, "00000.jsonl is broken: image.sample: Field required"),
        ("images/request.json", [], "document: Input should be an object"),
        ("rollouts/summary.json", {"episodes": None}, "not made"),
    ],
)
def test_a_malformed_part_is_one_line(folder: Path, name: str, content: Any, says: str) -> None:
    put(folder, name, content)
    page = Page(write_report(folder))
    assert says in page.text
    assert len(page.missing) == {
        "images/labels/00000.jsonl": 2,
        "images/request.json": 2,
        "rollouts/summary.json": 0,
    }.get(name, 1)


@pytest.mark.parametrize("name", ["policy/training.json", "videos/reach.mp4", "images/images/000000.png"])
def test_a_broken_file_is_one_line(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x00 neither this nor that")
    page = Page(write_report(folder))
    assert len(page.missing) == 1 and "Cannot be shown" in page.text


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot write"):
        write_report(tmp_path / "none")


def test_factors_are_pooled_grouped_and_drawn_by_kind() -> None:
    fixed = {"objects.1.mass": 0.2, "light.azimuth": 0.5, "camera.wrist.offset": [0.001, 0, 0], "table.tilt.x": 0.05}
    units = {"objects.*.mass": "kg", "light.azimuth": "rad", "boxes.*.color": "sRGB", "camera.*.offset": "m"}
    units |= {"table.tilt.x": "rad", "objects.*.stretch.x": ""}
    samples = [
        fixed | {"objects.0.mass": 0.1 * i, "boxes.0.color": [0, 0, 0.1 * i], "objects.0.stretch.x": 0.1 * i}
        for i in range(1, 6)
    ]
    groups = {group.name: group for group in factor_groups(samples, units)}
    mass, stretch = sorted(groups["objects"].charts, key=lambda chart: chart.name)
    assert (stretch.name, stretch.unit) == ("stretch x", "")
    assert groups["camera"].fixed == ["wrist offset 1, 0, 0 mm"]
    assert groups["table"].fixed == ["tilt x 2.86 \N{DEGREE SIGN}"]
    assert (mass.name, mass.unit) == ("mass", "g") and "10 values" in mass.chart
    assert groups["light"].charts == [] and groups["light"].fixed == ["azimuth 28.6 \N{DEGREE SIGN}"]
    assert "5 colours" in groups["boxes"].charts[0].chart and "#000066" in groups["boxes"].charts[0].chart


def test_charts_hold_every_value() -> None:
    drawn = histogram([0.0, 0.1, 0.5, 1.0, 1.0], "h")
    assert drawn.count("<rect") == 16 and "0.9 to 1.0: 2" in drawn
    assert ">1,200<" in bars({"a": 1200, "b": 0}, "b")
    assert line_chart([Line("up", [(0, 0.0), (10, 3.0)])], "l", "steps").count("<circle") == 3
    assert line_chart([Line("flat", [(1, 2.0)])], "l", "steps").count("<path") == 1
    assert swatches([(1.0, 0.0, 0.0)], "s").count("#ff0000") == 2
    with pytest.raises(ValueError, match="at least one point"):
        line_chart([], "l", "steps")


def test_numbers_are_for_people() -> None:
    assert [number(v) for v in (30000, 0.05432, -3.5, 7)] == ["30,000", "0.0543", "\N{MINUS SIGN}3.5", "7"]
    assert [decimals(s)(0.6) for s in (0.5, 5, 50)] == ["0.60", "0.6", "1"]
    assert ticks(0, 30720) == [0, 10000, 20000, 30000, 40000] and ticks(0.8, 1) == pytest.approx(
        [0.8, 0.85, 0.9, 0.95, 1]
    )
    assert [duration(s) for s in (9.12, 45.1, 312, 3900)] == ["9.1 s", "45 s", "5 min 12 s", "1 h 5 min"]
    assert [percent(k, n) for k, n in ((97, 100), (499, 500), (9999, 10000), (5, 5))] == [
        "97%",
        "99.8%",
        "99.9%",
        "100%",
    ]
    assert tag("text", "a<b", font_size=1.5, class_='"') == '<text font-size="1.5" class="&#34;">a&lt;b</text>'


def test_the_machine_and_the_versions_are_described() -> None:
    machine, found = machine_description(), versions()
    assert machine["cpu"] and machine["cores"] >= 1 and machine["os"] and json.dumps(machine)
    assert found["simworld"] == "0.1.0" and {"numpy", BULLET, "torch"} <= found.keys()
    assert "pytest" not in found


def test_a_picture_of_another_size_is_not_decoded(folder: Path) -> None:
    Image.new("1", (5000, 5000)).save(folder / "images/images/000000.png")
    page = Page(write_report(folder))
    assert len(page.missing) == 1 and "got (5000, 5000)" in page.text
