"""Image datasets: what pycocotools and PIL read back is what was rendered, whatever interrupted the writing."""

import errno
import json
import os
import resource
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from simworld.annotation.labels import annotate
from simworld.datasets.labelled import LabelledImage, Moment
from simworld.datasets.store.image_index import read_index
from simworld.datasets.store.images import write_images
from simworld.datasets.store.label_stream import read_labels
from simworld.datasets.store.pictures import decode_depth, encode_depth
from simworld.datasets.store.verify import verify
from simworld.errors import ConfigurationError, DatasetError
from tests.support.killing import forked, killed_at
from tests.support.labelled_images import CATEGORIES, COUNT, REQUEST, SEED, SHARD, view, write
from tests.support.stored import contents

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools decoding


def images_of(path: Path) -> int:
    """How many images a dataset of any state names, all of which must be there and whole."""
    coco = COCO(path / "annotations.json")
    for image in coco.imgs.values():
        for field in ("file_name", "depth_file", "depth_gt_file", "segmentation_file"):
            Image.open(path / image[field]).load()
    assert {a["image_id"] for a in coco.anns.values()} <= set(coco.imgs)
    return len(coco.imgs)


def test_pycocotools_reads_boxes_masks_and_categories(tmp_path: Path) -> None:
    report = write(tmp_path)
    coco = COCO(tmp_path / "annotations.json")
    assert (report.folder, report.images, report.made, report.groups) == (tmp_path, COUNT, COUNT, COUNT)
    counts = {category["name"]: len(coco.getAnnIds(catIds=[i])) for i, category in coco.cats.items()}
    assert report.annotations == counts and sum(counts.values()) == len(coco.anns)
    names = {category["id"]: category["name"] for category in coco.cats.values()}
    assert names == dict(enumerate(sorted(CATEGORIES), start=1))
    for number, image in enumerate(coco.imgs.values()):
        made = view(number)
        expected = annotate(made.frame, made.moment.scene, made.moment.state, made.camera).only(CATEGORIES)
        annotations = coco.imgToAnns[image["id"]]
        segmentation = np.array(Image.open(tmp_path / image["segmentation_file"]))
        assert [a["name"] for a in annotations] == [label.name for label in expected.instances]
        for annotation, label in zip(annotations, expected.instances, strict=True):
            assert names[annotation["category_id"]] == label.category
            mask = coco.annToMask(annotation)
            np.testing.assert_array_equal(mask, segmentation == annotation["instance_id"])
            assert (annotation["area"], tuple(annotation["bbox"])) == (mask.sum(), label.bbox)
            pose = annotation["pose_camera"]
            np.testing.assert_array_equal(np.reshape(pose["rotation"], (3, 3)), label.rotation)
            np.testing.assert_array_equal(pose["translation"], label.translation)
            found = annotation["bbox_3d"] and (annotation["bbox_3d"]["center"], annotation["bbox_3d"]["half_extents"])
            assert found == (label.bbox_3d and tuple(map(list, label.bbox_3d)))


def test_pictures_and_facts_of_an_image_are_what_was_rendered(tmp_path: Path) -> None:
    write(tmp_path)
    for number, image in enumerate(json.loads((tmp_path / "annotations.json").read_text())["images"]):
        made = view(number)
        np.testing.assert_array_equal(np.array(Image.open(tmp_path / image["file_name"])), made.frame.rgb)
        segmentation = np.array(Image.open(tmp_path / image["segmentation_file"]))
        assert segmentation.dtype == np.uint8
        np.testing.assert_array_equal(segmentation, made.frame.segmentation)
        depth = np.array(Image.open(tmp_path / image["depth_file"]))
        assert depth.dtype == np.uint16
        np.testing.assert_allclose(decode_depth(depth), made.frame.depth, atol=5.1e-5)
        exact = np.array(Image.open(tmp_path / image["depth_gt_file"]))
        assert exact.dtype == np.uint16 and (exact != depth).any()
        np.testing.assert_allclose(exact * image["depth_scale"], made.depth_gt, atol=5.1e-5)
        assert (image["seed"], image["index"], image["step"]) == (SEED, number, 7)
        assert image["sample"] == f"{SEED}/{number}/7/front"
        assert image["parameters"] == json.loads(json.dumps(dict(made.moment.parameters)))
        np.testing.assert_array_equal(np.reshape(image["camera"]["K"], (3, 3)), made.camera.intrinsics)


def test_a_pose_takes_an_object_to_its_mask(tmp_path: Path) -> None:
    write(tmp_path)
    coco = COCO(tmp_path / "annotations.json")
    seen = 0
    for annotation in coco.anns.values():
        if annotation["name"].startswith("object"):
            camera = coco.imgs[annotation["image_id"]]["camera"]
            pixel = np.reshape(camera["K"], (3, 3)) @ annotation["pose_camera"]["translation"]
            x, y, width, height = annotation["bbox"]
            u, v = pixel[:2] / pixel[2]
            assert x - 1 <= u <= x + width + 1 and y - 1 <= v <= y + height + 1
            seen += 1
    assert seen >= COUNT


def test_depth_saturates_and_keeps_nothing_as_nothing() -> None:
    depth = np.array([0.0, 0.02, 1.23456, 6.5535, 9.0], dtype=np.float32)
    assert encode_depth(depth).tolist() == [0, 200, 12346, 65535, 65535]


def test_many_instances_take_sixteen_bits(tmp_path: Path) -> None:
    made = view(0)
    start = made.moment
    bodies = tuple(start.scene.bodies[0].model_copy(update={"name": f"floor_{i}"}) for i in range(256))
    scene = start.scene.model_copy(update={"bodies": bodies})
    frame = type(made.frame)(**made.frame.channels | {"segmentation": np.full_like(made.frame.segmentation, 257)})
    poses = np.tile(start.state.body_poses[0], (256, 1))
    state = type(start.state)(**vars(start.state) | {"body_poses": poses})
    many = LabelledImage(Moment(scene, state, {}, 0, 0), made.camera, frame, frame.depth)
    write_images(tmp_path, {}, 1, ["floor"], lambda _: many)
    assert (np.array(Image.open(tmp_path / "segmentation/000000.png")) == 257).all()
    assert [a["instance_id"] for a in COCO(tmp_path / "annotations.json").anns.values()] == [257]


def test_a_kill_at_any_write_leaves_a_valid_dataset_and_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    kills = 0
    while True:
        path = tmp_path / str(kills)

        if killed_at(kills, partial(write, path)) == 0:
            break
        finished = sum(len(shard.read_bytes().splitlines()) for shard in path.glob("labels/*.jsonl"))
        assert not (path / "annotations.json").exists() or images_of(path) == finished == COUNT
        redone: list[int] = []
        write(path, lambda i, redone=redone: redone.append(i) or view(i))  # type: ignore[misc]
        assert redone == list(range(finished, COUNT))
        assert contents(path) == expected
        kills += 1
    # The request, four pictures an image, the shards, the index, the annotations and the manifest.
    assert kills == 1 + 4 * COUNT + -(-COUNT // SHARD) + 2 + 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_run_publishes_what_it_has(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted(number: int) -> LabelledImage:
        if number == 3:
            raise error
        return view(number)

    with pytest.raises(error):
        write(tmp_path / "part", interrupted)
    assert images_of(tmp_path / "part") == len(read_index(tmp_path / "part")) == 3
    assert len(list(read_labels(tmp_path / "part"))) == 2  # of the shard that is whole
    assert write(tmp_path / "part").made == 2
    write(tmp_path / "whole")
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")


def test_a_full_disk_is_one_line_and_leaves_a_valid_dataset(tmp_path: Path) -> None:
    path, told = tmp_path / "data", tmp_path / "told"

    def filling(number: int) -> LabelledImage:
        if number == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        return view(number)

    def writer() -> None:
        try:
            write(path, filling)
        except DatasetError as error:
            told.write_text(str(error))

    for number in range(COUNT):
        view(number)  # so that no child renders
    assert forked(writer) == 0
    reason = os.strerror(errno.EFBIG)
    line = f"cannot write {path}/images/000003.png: {reason}; what was finished is intact in {path}"
    assert told.read_text() == line
    assert not list(path.rglob(".tmp-*"))
    assert not (path / "annotations.json").exists()  # there was no room for annotations either
    assert write(path).made == 2
    assert images_of(path) == COUNT and verify(path) == []


def test_a_finished_dataset_is_left_alone_and_a_damaged_one_repaired(tmp_path: Path) -> None:
    write(tmp_path)
    expected = contents(tmp_path)
    stamps = {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*.*")}
    counts: list[int] = []
    report = write_images(tmp_path, REQUEST, COUNT, CATEGORIES, view, SHARD, counts.append)
    assert (report.made, counts) == (0, [])
    assert {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*.*")} == stamps
    (tmp_path / "depth/000001.png").unlink()
    assert write_images(tmp_path, REQUEST, COUNT, CATEGORIES, view, SHARD, counts.append).made == 1
    assert counts == [COUNT - 1]
    assert contents(tmp_path) == expected and verify(tmp_path) == []


def test_another_request_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(DatasetError, match="holds another dataset: count is 5 there and 4 here; choose"):
        write_images(tmp_path, REQUEST, 4, CATEGORIES, view, SHARD)
    with pytest.raises(DatasetError, match="seed is 11 there and 12 here"):
        write_images(tmp_path, REQUEST | {"seed": 12}, COUNT, CATEGORIES, view, SHARD)
    assert verify(tmp_path) == []


def test_a_dataset_of_nothing_is_refused(tmp_path: Path) -> None:
    for count, categories in ((0, CATEGORIES), (1, ())):
        with pytest.raises(ConfigurationError, match="a dataset needs images and categories"):
            write_images(tmp_path / "none", REQUEST, count, categories, view)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("name", ["images/000001.png", "depth/000000.png", "labels/00000.jsonl", "annotations.json"])
def test_going_on_with_a_changed_file_is_refused(tmp_path: Path, name: str, finished: bool) -> None:
    def interrupted(number: int) -> LabelledImage:
        if number == 3 and not finished:
            raise KeyboardInterrupt
        return view(number)

    with nullcontext() if finished else pytest.raises(KeyboardInterrupt):
        write(tmp_path, interrupted)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:99] + bytes([whole[99] ^ 1]) + whole[100:])
    with pytest.raises(DatasetError, match=f"{name} is not what was written: remove it, and the same command makes"):
        write(tmp_path)
    (tmp_path / name).unlink()
    write(tmp_path)
    assert verify(tmp_path) == [] and write(tmp_path).made == 0


def forge_label(path: Path) -> None:
    (path / "labels/00001.jsonl").write_bytes((path / "labels/00000.jsonl").read_bytes())


def cut_picture(path: Path) -> None:
    (path / "images/000001.png").write_bytes((path / "images/000001.png").read_bytes()[:100])


def strip_label(path: Path) -> None:
    label = json.loads((path / "labels/00002.jsonl").read_text())
    del label["image"]["camera"]
    for annotation in label["annotations"]:
        del annotation["bbox"]
        annotation["category_id"] = 77
    (path / "labels/00002.jsonl").write_text(json.dumps(label) + "\n")


def forge_annotations(path: Path) -> None:
    (path / "annotations.json").write_text("{}")


@pytest.mark.parametrize("damage", [forge_label, cut_picture, strip_label, forge_annotations])
def test_what_nobody_knows_anything_of_is_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    write(tmp_path)
    expected = contents(tmp_path)
    (tmp_path / "manifest.json").unlink()
    damage(tmp_path)
    assert write(tmp_path).made == COUNT
    assert contents(tmp_path) == expected and verify(tmp_path) == []
