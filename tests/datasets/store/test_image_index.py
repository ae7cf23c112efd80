"""Annotations, splits and the index of labelled images."""

import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest

from simworld.datasets.sample import SampleId
from simworld.datasets.splits import split_images
from simworld.datasets.store import images
from simworld.datasets.store.image_index import find_label, read_index
from simworld.datasets.store.images import write_images
from simworld.datasets.store.label_stream import read_labels
from simworld.errors import DatasetError
from tests.support.labelled_images import CATEGORIES, COUNT, REQUEST, SEED, SHARD, view, write

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools decoding


def test_annotations_are_written_once_and_the_memory_holds_one_shard(tmp_path: Path) -> None:
    """Twice as many images take no more memory, and nothing that was written is written again."""
    peaks, sizes = [], []
    for count in (40, 80):
        path = tmp_path / str(count)
        tracemalloc.start()
        write_images(path, REQUEST, count, CATEGORIES, lambda _: view(0), 10)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append((path / "annotations.json").stat().st_size)
    assert peaks[1] < 1.05 * peaks[0] and sizes[1] > 1.9 * sizes[0]


def test_images_are_split_by_their_index_alone(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "annotations.json").write_text("not read")
    (tmp_path / "labels/00001.jsonl").write_text("not read either")
    assert sorted(map(len, split_images(tmp_path, {"train": 0.6, "test": 0.4}).values())) == [2, 3]
    index = tmp_path / "index.jsonl"
    index.write_bytes(index.read_bytes().replace(b'"id":2', b'"id":9'))
    with pytest.raises(DatasetError, match="index.jsonl: it is not what was written"):
        split_images(tmp_path, {"train": 0.6, "test": 0.4})
    index.unlink()
    with pytest.raises(DatasetError, match="has no index.jsonl: run the command"):
        split_images(tmp_path, {"train": 0.6, "test": 0.4})
    with pytest.raises(DatasetError, match="cannot read images from .*none: No such file"):
        split_images(tmp_path / "none", {"train": 0.6, "test": 0.4})


def test_a_sample_is_found_by_its_id(tmp_path: Path) -> None:
    write(tmp_path)
    assert [image.sample for image in read_index(tmp_path)] == [f"{SEED}/{i}/7/front" for i in range(COUNT)]
    label = find_label(tmp_path, SampleId(SEED, 3, 7, "front"))
    assert label == find_label(tmp_path, f"{SEED}/3/7/front") == list(read_labels(tmp_path))[3]
    assert label.image.id == 4 and {a.image_id for a in label.annotations} == {4}
    with pytest.raises(DatasetError, match=f"no sample '{SEED}/3/8/front'; did you mean"):
        find_label(tmp_path, f"{SEED}/3/8/front")
    assert SampleId.parse("11/3/7/front") == SampleId(SEED, 3, 7, "front")
    for text in ("11/3/front", "11/3/7/", "a/3/7/front", "-1/3/7/front", "11/3/7/a/b"):
        with pytest.raises(DatasetError, match="a sample is named seed/index/step/camera"):
            SampleId.parse(text)


def test_labels_that_are_not_as_they_were_written_are_not_read(tmp_path: Path) -> None:
    write(tmp_path)
    shard, manifest = tmp_path / "labels/00001.jsonl", tmp_path / "manifest.json"
    data = shard.read_bytes()
    for damage, message in (
        (lambda: shard.write_bytes(data.replace(b'"id":4', b'"id":9')), "00001.jsonl: it is not what was written"),
        (shard.unlink, "cannot read .*00001.jsonl: No such file"),
        (lambda: manifest.write_bytes(manifest.read_bytes().replace(b"00001", b"00009")), "00001.jsonl is not in its"),
    ):
        damage()
        with pytest.raises(DatasetError, match=message):
            list(read_labels(tmp_path))
        shard.write_bytes(data)
    manifest.unlink()
    shard.write_bytes(data.splitlines(keepends=True)[0])
    with pytest.raises(DatasetError, match="00001.jsonl is broken: it must have a line for each of the images 2 to 3"):
        list(read_labels(tmp_path))


@pytest.mark.parametrize(
    "name", ["notes.txt", "images/000005.png", "labels/000000.png", "labels/00003.jsonl", "quotas.json"]
)
def test_unfinished_images_are_not_finished_with_what_was_not_asked_for(name: str, tmp_path: Path) -> None:
    with images.open_images(tmp_path, REQUEST, COUNT, CATEGORIES, SHARD):
        pass
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(DatasetError, match=f"holds more than was asked for, such as {name}: remove it"):
        write(tmp_path)
    with (
        images.open_images(tmp_path, REQUEST, COUNT, CATEGORIES, SHARD, ["notes.txt"])
        if name == "notes.txt"
        else nullcontext()
    ):
        pass
