"""Examples: what they say is what was stored, and varied pictures have labels that follow."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batch import collate
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.example import Example, Things
from simworld.agents.data.framing import Framing, framed, mirrored
from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.labelled_thing import rotations_alike
from simworld.assets.catalogue import mesh
from simworld.assets.families import FAMILIES
from simworld.errors import ConfigurationError, DatasetError
from simworld.streams import Streams

SIZE = (96, 96)
FRAMINGS = [Framing.fitted((128, 96), SIZE), Framing(1.3, 0.4, (10.0, -20.0)), Framing(0.3, -0.2, (20.0, 30.0))]


PLACES = np.random.default_rng(0).uniform(-0.03, 0.03, (6, 3))
"""On things, in their frames."""


def pixels(example: Example) -> np.ndarray:
    """Where places on the things are projected: (n, 6, 2)."""
    there = PLACES @ example.things.rotations.transpose(0, 2, 1) + example.things.translations[:, None]
    seen = there @ example.intrinsics.T
    return seen[..., :2] / seen[..., 2:]


def at(framing: Framing, places: np.ndarray) -> np.ndarray:
    """Where pixels (..., 2) are in another frame."""
    return (np.concatenate([places, np.ones((*places.shape[:-1], 1))], axis=-1) @ framing.matrix.T)[..., :2]


def test_boxes_masks_and_origins_agree(images: ImageSet) -> None:
    seen = 0
    for example in (images[k] for k in range(len(images))):
        for k, instance in enumerate(example.things.instance.tolist()):
            rows, columns = np.nonzero(example.instances == instance)
            x, y, width, height = example.things.boxes[k]
            assert (columns.min(), rows.min()) == (x, y)
            assert (columns.max() + 1 - x, rows.max() + 1 - y) == (width, height)
            seen += 1
    assert seen > 30


def test_a_decoded_picture_is_the_same_when_it_is_read_again(images: ImageSet) -> None:
    first, second = images[3], images[3]
    assert (first.image == second.image).all() and (first.instances == second.instances).all()
    assert first.image.max() > first.image.min()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_labels_follow_a_frame_exactly(images: ImageSet, framing: Framing) -> None:
    checked = 0
    for example in (images[k] for k in range(8)):
        moved = framed(example, framing, SIZE)
        rows = [example.things.instance.tolist().index(i) for i in moved.things.instance.tolist()]
        expected = at(framing, pixels(example)[rows])
        np.testing.assert_allclose(pixels(moved), expected, atol=1e-6)
        # In the world nothing has moved.
        for one, row in zip(range(len(rows)), rows, strict=True):
            world = [
                e.world_to_camera[:, :3].T @ (e.things.translations[k] - e.world_to_camera[:, 3])
                for e, k in ((moved, one), (example, row))
            ]
            np.testing.assert_allclose(*world, atol=1e-9)
            assert abs(np.linalg.det(moved.things.rotations[one]) - 1) < 1e-6
            checked += 1
    assert checked > 8


@pytest.mark.parametrize("framing", FRAMINGS)
def test_keypoints_follow_a_frame_and_are_not_seen_beyond_it(images: ImageSet, framing: Framing) -> None:
    followed = 0
    for example in (images[k] for k in range(len(images))):
        moved = framed(example, framing, SIZE)
        rows = [example.things.instance.tolist().index(i) for i in moved.things.instance.tolist()]
        before, after = example.things.keypoints[rows], moved.things.keypoints
        there = before[..., 2] > 0
        np.testing.assert_allclose(after[there, :2], at(framing, before[there, :2]), atol=1e-6)
        assert not after[~there].any()
        inside = ((after[..., :2] >= 0) & (after[..., :2] < SIZE)).all(axis=-1)
        assert (after[..., 2][inside] == before[..., 2][inside]).all()
        assert (after[..., 2][~inside & there] == 1).all()
        followed += np.count_nonzero(before[..., 2] == 2)
    assert followed > 3


def test_a_mirror_shows_what_a_camera_of_the_other_hand_sees(images: ImageSet) -> None:
    for example in (images[k] for k in range(3)):
        there, things, width = mirrored(example), example.things, example.image.shape[1]
        np.testing.assert_array_equal(there.image[:, ::-1], example.image)
        for row, (instance, box) in enumerate(zip(things.instance, there.things.boxes, strict=True)):
            rows, columns = np.nonzero(there.instances == instance)
            assert (box == (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)).all()
            seen, before = (
                one.intrinsics @ one.things.translations[row] / one.things.translations[row, 2]
                for one in (there, example)
            )
            np.testing.assert_allclose(seen, (width - before[0], before[1], 1.0), atol=1e-9)
            places = [
                one.world_to_camera[:, :3].T @ (one.things.translations[row] - one.world_to_camera[:, 3])
                for one in (there, example)
            ]
            np.testing.assert_allclose(*places, atol=1e-12)  # it is where it was in the world


def test_pictures_are_varied_in_mirrors_and_as_they_are_held(images: ImageSet) -> None:
    plain: dict[str, Any] = dict.fromkeys(("zoom", "shift", "roll", "color", "sensor", "hidden"), 0.0)
    example = images[0]
    size = example.image.shape[1], example.image.shape[0]
    seen = [Augmentation(**plain, mirror=0.5)(example, size, Streams(0)(f"{k}")).image for k in range(40)]
    turned = sum((image == mirrored(example).image).all() for image in seen)
    assert 8 < turned < 32 and turned + sum((image == example.image).all() for image in seen) == 40
    tall = Augmentation(**plain)(example, size[::-1], Streams(0)("a"))
    assert tall.image.shape == example.image.shape


def test_windows_are_around_small_things_rather_than_large_ones(images: ImageSet) -> None:
    example = images[0]
    boxes = np.array([[10.0, 10.0, 4.0, 4.0], [100.0, 70.0, 16.0, 16.0]])
    things = example.things[np.zeros(2, dtype=np.int64)]
    example = replace(example, things=replace(things, boxes=boxes))
    part = Augmentation(zoom=0.0, shift=0.0, roll=0.0, window=0.5)
    framing = Framing.fitted((128, 96), (128, 96))
    near = 0
    for k in range(400):
        moved, _ = part._windowed(framing, (128, 96), boxes, Streams(0)(f"{k}"))
        near += moved.shift == (0.0, 0.0)  # only so the first is in it
    assert near / 400 == pytest.approx(0.8, abs=0.07)


def test_a_window_says_how_much_it_leaves_of_each_thing(images: ImageSet) -> None:
    example, cut = images[0], 0
    for instance in example.things.instance.tolist():
        rows, columns = np.nonzero(example.instances == instance)
        middle = float(np.median(columns))
        framing = Framing(2.0, 0.0, (-2 * np.floor(middle), -2.0 * float(rows.min())))
        moved = framed(example, framing, (2 * example.image.shape[1], 2 * example.image.shape[0]))
        left = dict(zip(moved.things.instance.tolist(), moved.things.shown, strict=True))[instance]
        assert left == pytest.approx((columns >= np.floor(middle)).mean(), abs=0.01)
        cut += left < 0.9
    assert cut > 1
    whole = framed(example, Framing(1.0, 0.0, (0.0, 0.0)), (128, 96))
    assert (whole.things.shown == 1).all()


def test_patches_hide_the_keypoints_under_them_and_reach_all_of_the_picture() -> None:
    grid = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(48) + 0.5), axis=-1).reshape(1, -1, 2)
    keypoints = np.concatenate([grid, np.full((*grid.shape[:2], 1), 2.0)], axis=-1)
    instances = np.ones((48, 64), dtype=np.int32)
    turn = np.eye(3)[None]
    one = Things(
        np.zeros(1, int),
        np.ones(1, int),
        np.zeros((1, 4)),
        turn,
        turn[:, 0],
        keypoints,
        turn[None],
        np.array([""]),
        np.ones(1),
    )
    example = Example("x", np.zeros((48, 64, 3), dtype=np.uint8), instances, one, np.eye(3), np.eye(3, 4))
    alone = Augmentation(zoom=0.0, shift=0.0, roll=0.0, color=0.0, sensor=0.0, hidden=0.5)
    hidden = np.zeros((48, 64))
    for k in range(300):
        varied = alone(example, (64, 48), Streams(0)(f"{k}"))
        seen = varied.things.keypoints[0, :, 2].reshape(48, 64)
        assert ((seen == 2) == (varied.instances == 1)).all() and seen.min() >= 1
        hidden += varied.instances == 0
    # A patch begins and ends anywhere: the first columns and rows are hidden no more than the last ones.
    assert hidden[0].sum() < 1.3 * hidden[-1].sum() and hidden[:, 0].sum() < 1.3 * hidden[:, -1].sum()
    assert hidden.min() > 0
    assert (keypoints[..., 2] == 2).all()


def test_pictures_are_moved_as_their_masks_are() -> None:
    picture = np.zeros((60, 80, 3), dtype=np.uint8)
    picture[20:40, 30:50] = 255
    instances = (picture[..., 0] > 0).astype(np.int32)
    example = Example("x", picture, instances, _nothing(), np.eye(3), np.eye(3, 4))
    for framing in FRAMINGS:
        moved = framed(example, framing, SIZE)
        shown = moved.image[..., 0] / 255.0
        assert abs(shown - moved.instances).mean() < 0.03
        # Area grows by the square of the scale, and the middle goes where it should.
        assert shown.sum() == pytest.approx(400 * framing.scale**2, rel=0.08)
        middle = framing.matrix @ (40.0, 30.0, 1.0)
        rows, columns = np.nonzero(moved.instances)
        np.testing.assert_allclose([columns.mean() + 0.5, rows.mean() + 0.5], middle[:2], atol=0.6)


def test_an_augmented_picture_depends_on_its_stream_alone(images: ImageSet) -> None:
    augment = Augmentation()
    one, same, other = (augment(images[1], SIZE, Streams(k)("a")) for k in (1, 1, 2))
    assert (one.image == same.image).all() and (one.instances == same.instances).all()
    assert (one.image != other.image).any()
    assert one.image.shape == (*SIZE, 3) and one.image.dtype == np.uint8
    for k, instance in enumerate(one.things.instance.tolist()):
        assert (one.instances == instance).sum() >= 12
        assert one.things.boxes[k, 2:].min() >= 1


def test_no_augmentation_leaves_the_picture(images: ImageSet) -> None:
    none = Augmentation(zoom=0.0, shift=0.0, roll=0.0, color=0.0, sensor=0.0, hidden=0.0)
    plain = none(images[0], (128, 96), Streams(0)("a"))
    assert (plain.image == images[0].image).all()
    assert (plain.instances == images[0].instances).all()


def test_a_window_is_a_part_of_the_picture_with_a_thing_on_it(images: ImageSet) -> None:
    part = Augmentation(zoom=0.0, shift=0.0, roll=0.0, color=0.0, sensor=0.0, hidden=0.0, window=0.6)
    example, corners = images[2], set[tuple[int, int]]()
    for k in range(16):
        window = part(example, (128, 96), Streams(k)("a"))
        x, y = (int(edge) for edge in example.intrinsics[:2, 2] - window.intrinsics[:2, 2])
        inside = np.s_[y : y + 64, x : x + 80]
        assert (window.image == example.image[inside]).all() and window.image.shape == (64, 80, 3)
        assert (window.instances == example.instances[inside]).all() and len(window.things)
        corners.add((x, y))
    assert len(corners) > 8
    nothing = replace(example, things=example.things[[]])
    assert part(nothing, (128, 96), Streams(0)("a")).image.shape == (64, 80, 3)


def test_batches_are_the_same_from_processes_and_from_any_beginning(images: ImageSet) -> None:
    varied = Varied(images, Augmentation(), SIZE, seed=5)
    rows = [0, 2, 4, 6, 8]
    all_of_them = list(batches(varied, Order(rows, 3, 5, 0, 4), workers=0))
    ahead = batches(varied, Order(rows, 3, 5, 2, 1000), workers=1)
    later = list(islice(ahead, 2))
    assert len(active_children()) == 1
    ahead.close()
    assert not active_children()
    for one, other in zip(all_of_them[2:], later, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.marks, other.marks)
        assert torch.equal(one.translations, other.translations)
    # Each is seen once before any is seen twice.
    seen = [index for batch in Order(rows, 3, 5, 0, 5) for _, index in batch]
    assert [sorted(seen[k : k + 5]) for k in (0, 5, 10)] == [rows] * 3
    assert seen[:5] != seen[5:10]


def test_a_batch_knows_which_thing_each_pixel_shows(images: ImageSet) -> None:
    examples = [images[0], images[1]]
    batch = collate(examples)
    assert batch.images.shape == (2, 3, 96, 128)
    first = len(examples[0].things)
    for row in range(len(batch.category)):
        example, k = examples[batch.of[row]], row - (first if batch.of[row] else 0)
        mask = example.instances == example.things.instance[k]
        assert ((batch.marks[batch.of[row]] == row + 1).numpy() == mask).all()


def test_a_batch_tells_any_number_of_things_apart() -> None:
    many = 2**15 + 5
    things = Things(
        *(np.zeros(many, int), np.full(many, 2), np.zeros((many, 4)), np.zeros((many, 3, 3)), np.zeros((many, 3))),
        *(np.zeros((many, 0, 3)), np.zeros((many, 1, 3, 3)), np.full(many, ""), np.ones(many)),
    )
    example = Example("x", np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 2, np.int32), things, np.eye(3), np.eye(3, 4))
    assert collate([example]).marks.tolist() == [[[many]]]


def test_rotations_about_an_axis_keep_it() -> None:
    turned = rotations_alike([], [(0.0, 0.0, 1.0)])
    assert len(turned) == 32
    np.testing.assert_allclose(turned[:, :, 2], np.tile([0.0, 0.0, 1.0], (32, 1)), atol=1e-12)
    np.testing.assert_allclose(turned @ turned.transpose(0, 2, 1), np.tile(np.eye(3), (32, 1, 1)), atol=1e-12)
    half = np.diag([-1.0, -1.0, 1.0, 1.0]).ravel()
    np.testing.assert_allclose(rotations_alike([half], [])[1], np.diag([-1.0, -1.0, 1.0]))
    assert len(rotations_alike([], [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0)])) == 32
    assert len(rotations_alike([], np.eye(3).tolist())) == 0


def test_symmetries_of_all_families_are_about_the_origin() -> None:
    forms = [mesh(f"{family}#0") for family in FAMILIES]
    for form in forms:
        assert not any(np.reshape(motion, (4, 4))[:3, 3].any() for motion in form.symmetries_discrete)
        assert not any(np.cross(about.axis, about.offset).any() for about in form.symmetries_continuous)
    assert sum(bool(form.symmetries_discrete or form.symmetries_continuous) for form in forms) > 10


def test_what_is_learnt_is_what_is_labelled(folder: Path, images: ImageSet) -> None:
    assert images.categories == ("banana", "box", "can", "dice", "mug")
    labelled = {int(category) for k in range(len(images)) for category in images[k].things.category}
    assert labelled == set(range(5))
    assert images[-1].name == images[len(images) - 1].name and len(list(images)) == len(images)
    with pytest.raises(ConfigurationError, match="named once"):
        ImageSet(folder, ["box", "mug", "box"])


def test_what_cannot_be_learnt_from_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no category 'bananas'.*'banana'"):
        ImageSet(folder, ["bananas"])
    with pytest.raises(ConfigurationError, match=r"nothing of \['hammer'\] is labelled"):
        ImageSet(folder, ["hammer"])
    with pytest.raises(DatasetError):
        ImageSet(tmp_path / "nowhere")
    old = shutil.copytree(folder, tmp_path / "old")
    asked = json.loads((old / "request.json").read_text())
    (old / "request.json").write_text(json.dumps(asked | {"format_version": 1}))
    with pytest.raises(DatasetError, match="version"):
        ImageSet(old)
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "images/000002.png").write_bytes(b"\x89PNG")
    with pytest.raises(DatasetError, match=r"000002\.png"):
        ImageSet(broken)[2]


def _nothing() -> Things:
    none, whole = np.zeros((0, 3)), np.zeros(0, dtype=np.int64)
    boxes, turns = np.zeros((0, 4)), np.zeros((0, 3, 3))
    return Things(
        whole, whole, boxes, turns, none, np.zeros((0, 0, 3)), turns[:, None], np.array([], dtype=np.str_), np.zeros(0)
    )
