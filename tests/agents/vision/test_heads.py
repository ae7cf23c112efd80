"""What heads say of perfect answers is the truth, and a loss is least there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from simworld.agents.data.batch import Batch, collate
from simworld.agents.data.image_set import ImageSet
from simworld.agents.vision.heads.at_cells import AtCells
from simworld.agents.vision.heads.box_head import BoxHead
from simworld.agents.vision.heads.category_head import CategoryHead
from simworld.agents.vision.heads.closer import looked_at
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.keypoint_head import KeypointHead
from simworld.agents.vision.heads.mask_head import MASK_STRIDE, MaskHead, _shares, mixed
from simworld.agents.vision.heads.position_head import PositionHead
from simworld.agents.vision.heads.presence_head import PresenceHead, middle_cells, peaks
from simworld.agents.vision.heads.rotation_head import RotationHead
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.seeing import answering
from simworld.agents.vision.trunk import FINE_STRIDE, STRIDE, Features

HEIGHT, WIDTH = 12, 16
"""Cells of the images."""


@pytest.fixture(scope="module")
def batch(images: ImageSet) -> Batch:
    return collate([images[k] for k in range(6)])


NOWHERE = Cells(*(torch.zeros(0, dtype=torch.int64) for _ in range(4)))


def shape_of(images: ImageSet) -> Shape:
    return Shape(images.categories, images.points, 8, 6)


def fitted(head: Head, batch: Batch, cells: Cells, outputs: int, steps: int = 1500) -> torch.Tensor:
    """Answers that are found by nothing but the head's own loss."""
    # From nothing, all rotations that are alike would be equally far.
    start = torch.randn(len(batch), outputs, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    answers = (0.1 * start).requires_grad_()
    optimizer = torch.optim.Adam([answers], lr=0.05)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / steps)
        optimizer.zero_grad()
        head.loss(at(answers, cells), batch, cells).backward()
        optimizer.step()
    return at(answers.detach(), cells)


def at(answers: torch.Tensor, cells: Cells) -> torch.Tensor:
    """What answers (n, c, h, w) are at cells: (k, c)."""
    return answers[cells.image, :, cells.row, cells.column]


def middles(batch: Batch) -> Cells:
    row, column = middle_cells(batch.boxes, HEIGHT, WIDTH)
    return Cells(batch.of, row, column, torch.arange(len(batch.of)))


def camera_of(batch: Batch) -> dict[str, torch.Tensor]:
    return {"intrinsics": batch.intrinsics[batch.of], "world_to_camera": batch.world_to_camera[batch.of]}


def test_each_thing_has_cells_in_its_box_and_none_has_two(batch: Batch) -> None:
    cells = answering(batch, HEIGHT, WIDTH)
    keys = (cells.image * HEIGHT + cells.row) * WIDTH + cells.column
    assert len(torch.unique(keys)) == len(keys)
    corner, far = batch.boxes[cells.thing, :2], batch.boxes[cells.thing, :2] + batch.boxes[cells.thing, 2:]
    reach = STRIDE * 1.5
    assert ((cells.middles > corner - reach) & (cells.middles < far + reach)).all()
    assert (batch.of[cells.thing] == cells.image).all()
    assert len(torch.unique(cells.thing)) > 0.9 * len(batch.category)


def test_the_truth_is_found_at_the_peaks(images: ImageSet, batch: Batch) -> None:
    head = PresenceHead(shape_of(images))
    target = head._target(torch.zeros(len(batch), 1, HEIGHT, WIDTH), batch)
    likely, cells = peaks(target, 20)
    told = zip(*map(torch.Tensor.tolist, (cells.image, cells.row, cells.column, likely)), strict=True)
    row, column = middle_cells(batch.boxes, HEIGHT, WIDTH)
    true = set(zip(*map(torch.Tensor.tolist, (batch.of, row, column)), strict=True))
    assert {(i, r, c) for i, r, c, share in told if share > 0.99} == true and len(true) > 10
    perfect, none = (head.loss(a, batch, middles(batch)) for a in (torch.logit(target, 1e-6), torch.zeros_like(target)))
    assert perfect < 0.2 < none


def test_categories_that_are_learnt_are_the_true_ones(images: ImageSet, batch: Batch) -> None:
    head, cells = CategoryHead(shape_of(images)), answering(batch, HEIGHT, WIDTH)
    chances = head.read(fitted(head, batch, cells, len(images.categories), 200), cells, {})["chances"]
    assert torch.equal(chances.argmax(1), batch.category[cells.thing]) and (chances.amax(1) > 0.9).all()
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-6)


def test_boxes_that_are_learnt_are_the_true_ones(images: ImageSet, batch: Batch) -> None:
    head, cells = BoxHead(shape_of(images)), middles(batch)
    answers = fitted(head, batch, cells, 4)
    np.testing.assert_allclose(head.read(answers, cells, {})["boxes"], batch.boxes, atol=0.6)


def test_positions_that_are_learnt_are_where_things_are(images: ImageSet, batch: Batch) -> None:
    head, cells = PositionHead(shape_of(images)), middles(batch)
    known = camera_of(batch)
    told = head.read(fitted(head, batch, cells, 3), cells, known)
    camera = batch.world_to_camera[batch.of]
    true = (camera[..., :3].transpose(1, 2) @ (batch.translations - camera[..., 3])[..., None])[..., 0]
    assert np.linalg.norm(told["positions"] - true, axis=1).max() < 0.002


def test_rotations_that_are_learnt_are_the_true_ones_but_for_symmetry(images: ImageSet, batch: Batch) -> None:
    head, cells = RotationHead(shape_of(images)), middles(batch)
    seen = (batch.intrinsics[batch.of] @ batch.translations[..., None])[..., 0]
    known = camera_of(batch) | {"origins": seen[:, :2] / seen[:, 2:]}
    told = head.read(fitted(head, batch, cells, head.look.last.out_channels), cells, known)["rotations"]
    off = told.transpose(1, 2) @ batch.rotations
    like = (off[:, None] @ batch.alike).diagonal(dim1=-2, dim2=-1).sum(-1)
    angle = torch.arccos(((like.amax(1) - 1) / 2).clamp(-1, 1))
    assert angle.max() < np.deg2rad(8)
    assert (batch.alike.abs().sum((-1, -2)) > 0).sum(1).max() > 1
    np.testing.assert_allclose(told @ told.transpose(1, 2), np.tile(np.eye(3), (len(told), 1, 1)), atol=1e-4)


@pytest.mark.parametrize("down", (0.3, 0.8, 1.4, np.pi / 2))
def test_what_is_upright_and_seen_from_its_back_is_the_same_from_wherever_it_is_seen(
    images: ImageSet, down: float
) -> None:
    head = RotationHead(shape_of(images))
    answers = torch.zeros(5, head.look.last.out_channels)
    answers[:, [0, 3]], answers[:, -7] = 1.0, 1.0
    turns = torch.linspace(0, 5, 5)
    right = torch.stack([turns.cos(), turns.sin(), 0 * turns], 1)
    ahead = torch.stack([-turns.sin(), turns.cos(), 0 * turns], 1)
    up = torch.tensor([0.0, 0.0, 1.0]).expand(5, 3)
    along = np.cos(down) * ahead - np.sin(down) * up
    cameras = torch.stack([right, torch.linalg.cross(along, right), along], 1)  # right, down and ahead in the picture
    found = {"intrinsics": torch.eye(3).expand(5, 3, 3), "origins": torch.tensor([[0.0, -0.3]]).expand(5, 2)}
    found["world_to_camera"] = torch.cat([cameras, torch.ones(5, 3, 1)], 2)
    told = head.read(answers, NOWHERE, found)["rotations"]
    np.testing.assert_allclose(cameras.transpose(1, 2) @ told, torch.stack([right, ahead, up], 2), atol=1e-5)


def test_of_what_may_be_one_of_two_is_told_and_not_what_is_between(images: ImageSet, batch: Batch) -> None:
    head, cells = RotationHead(shape_of(images)), middles(batch)
    half = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))
    only = torch.zeros_like(batch.alike)
    only[:, 0] = torch.eye(3)
    batches = [replace(batch, alike=only, rotations=batch.rotations @ turn) for turn in (torch.eye(3), half)]
    # The same answers for both: nothing shows which of them it is.
    generator = torch.Generator().manual_seed(3)
    answers = (0.1 * torch.randn(len(cells.thing), head.look.last.out_channels, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([answers], lr=0.02)
    for _ in range(1500):
        optimizer.zero_grad()
        sum(head.loss(answers, each, cells) for each in batches).backward()
        optimizer.step()
    seen = (batch.intrinsics[batch.of] @ batch.translations[..., None])[..., 0]
    known = camera_of(batch) | {"origins": seen[:, :2] / seen[:, 2:]}
    told = head.read(answers.detach(), cells, known)["rotations"]
    traces = [(told.transpose(1, 2) @ each.rotations).diagonal(dim1=1, dim2=2).sum(-1) for each in batches]
    angle = torch.arccos(((torch.maximum(*traces) - 1) / 2).clamp(-1, 1))
    assert angle.max() < np.deg2rad(15)


def test_a_ball_teaches_no_rotation(images: ImageSet, batch: Batch) -> None:
    head, cells = RotationHead(shape_of(images)), middles(batch)
    answers = torch.randn(
        len(batch), head.look.last.out_channels, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)
    )
    answers.requires_grad_()
    alike = batch.alike.clone()
    alike[1:] = 0.0
    loss = head.loss(at(answers, cells), replace(batch, alike=alike), cells)
    first = cells[:1]
    assert loss.item() > 0 and torch.equal(loss, head.loss(at(answers, first), batch, first))
    for none in (torch.zeros_like(alike), alike[:, :0]):
        loss = head.loss(at(answers, cells), replace(batch, alike=none), cells)
        loss.backward()
        assert loss == 0 and not answers.grad.any()


def test_keypoints_that_are_learnt_are_the_true_ones(images: ImageSet, batch: Batch) -> None:
    head, cells = KeypointHead(shape_of(images)), middles(batch)
    outputs = 2 * max(map(len, images.points))
    told = head.read(fitted(head, batch, cells, outputs), cells, {})["keypoints"]
    there = batch.keypoints[..., 2] > 0
    assert there.sum() > 10
    assert (told[:, : there.shape[1]] - batch.keypoints[..., :2])[there].abs().max() < 0.5


def test_masks_that_are_learnt_show_the_things(images: ImageSet, batch: Batch) -> None:
    head, cells = MaskHead(shape_of(images)), middles(batch)
    # Prototypes have to differ before they can be mixed.
    nothing = Features(torch.zeros(1, 8, 2, 2), torch.zeros(1, 6, 4, 4))
    outputs, weights = head(nothing, NOWHERE).shape[1], head.look.last.out_channels

    def logits(answers: torch.Tensor, cells: Cells) -> torch.Tensor:
        prototypes = torch.nn.functional.pixel_shuffle(answers[:, weights:], STRIDE // MASK_STRIDE)
        return mixed(at(answers, cells)[:, :weights], prototypes, cells)

    start = torch.randn(len(batch), outputs, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0)) * 0.3
    answers = start.requires_grad_()
    optimizer = torch.optim.Adam([answers], lr=0.05)
    taught = head.taught(
        answering(batch, HEIGHT, WIDTH), len(batch.category)
    )  # what is said in the middle is to be learnt, whichever cells answer
    for _ in range(600):
        optimizer.zero_grad()
        head.loss(logits(answers, taught), batch, taught).backward()
        optimizer.step()
    shown = head.read(logits(answers.detach(), cells), cells, {})["masks"] > 0
    compared = 0
    for row in taught.thing.tolist():  # the others have no cell of their own
        true = (batch.marks[batch.of[row]] == row + 1).float()
        share = torch.nn.functional.avg_pool2d(true[None, None], MASK_STRIDE)[0, 0]
        wrong = (shown[row] != (share > 0.5)) & ((share - 0.5).abs() > 0.25)
        if (share > 0.5).sum() >= 8:
            compared += 1
            assert wrong.sum() <= max(2, 0.1 * (share > 0.5).sum())
    assert compared > 10


def features_of(count: int, seed: int) -> Features:
    generator = torch.Generator().manual_seed(seed)
    sizes = (8, HEIGHT, WIDTH), (6, 2 * HEIGHT, 2 * WIDTH)
    return Features(*(torch.randn(count, *size, generator=generator) for size in sizes))


def boxed(cells: Cells) -> Cells:
    """Each with a box of some size about it."""
    sides = torch.rand(len(cells.thing), 2, generator=torch.Generator().manual_seed(4)) * 40 + 4
    return replace(cells, boxes=torch.cat([cells.middles - sides / 2, sides], dim=1))


KINDS = BoxHead, MaskHead, RotationHead, CategoryHead


@pytest.mark.parametrize("kind", KINDS)
def test_answers_at_cells_are_those_of_the_whole(images: ImageSet, batch: Batch, kind: type[Head]) -> None:
    head, features = kind(shape_of(images)).eval(), features_of(len(batch), 2)
    all_of_them, cells = boxed(Cells.everywhere(features.coarse)), answering(batch, HEIGHT, WIDTH)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, values in head.state_dict().items():
            if values.is_floating_point():
                values.copy_(torch.rand(values.shape, generator=generator) + (0.5 if "var" in name else -0.5))
        corners = Cells(*(torch.tensor(c) for c in ([0, 1, 5], [0, HEIGHT - 1, 3], [0, WIDTH - 1, 7], [0, 1, 2])))
        one = Cells(*(torch.tensor([c]) for c in (2, 0, 9, 0)))
        for some in (cells, corners, one):
            there = all_of_them[(some.image * HEIGHT + some.row) * WIDTH + some.column]
            whole, told = at(head(features, all_of_them), there), head.look(features, there)
            np.testing.assert_allclose(told, whole[:, : told.shape[1]], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_hardly_anything_can_be_learnt_from(images: ImageSet, batch: Batch, kind: type[Head]) -> None:
    head, features = kind(shape_of(images)).train(), features_of(len(batch), 3)
    one = boxed(Cells(*(torch.tensor([k]) for k in (2, 0, 9, 0))))
    if isinstance(head.look, AtCells):  # of which there is no variance
        known = head.look.normal.running_mean.clone()
        learnt = head.look(features, one)
        assert torch.equal(head.look.normal.running_mean, known)
        with torch.no_grad():
            np.testing.assert_allclose(learnt, head.eval().look(features, one), atol=1e-6)
    head.train().look(features, one).sum().backward()
    assert head.look.last.weight.grad.isfinite().all()
    before = {name: values.clone() for name, values in head.state_dict().items()}
    assert head.train().look(features, one[:0]).shape == (0, head.look.last.out_channels)
    assert all(torch.equal(values, before[name]) for name, values in head.state_dict().items())


def test_a_closer_look_is_at_the_places_of_a_box() -> None:
    """Features that grow with the column, or the row, are what these are there; beyond a picture, at its edge."""
    planes = []
    for stride in (STRIDE, FINE_STRIDE):
        row, column = ((torch.arange(side * STRIDE // stride) + 0.5) * stride for side in (HEIGHT, WIDTH))
        grown = torch.stack([column.expand(len(row), -1), row[:, None].expand(-1, len(column))])
        planes.append(torch.stack([-grown, grown]))
    boxes = torch.tensor([[20.0, 30.0, 12.0, 24.0], [100.0, -5.0, 60.0, 4.0]])
    cells = Cells(*(torch.tensor(c) for c in ([1, 0], [0, 0], [0, 0], [0, 1])), boxes=boxes)
    seen = looked_at(Features(*planes), cells).numpy()
    share = (np.arange(6) + 0.5) / 6 * 1.15 - 0.075
    for k, (x, y, width, height) in enumerate(boxes.tolist()):
        for stride, shown in ((STRIDE, seen[k, :2]), (FINE_STRIDE, seen[k, 2:4])):
            far = WIDTH * STRIDE - stride / 2, HEIGHT * STRIDE - stride / 2
            column, row = ((c + share * s).clip(stride / 2, f) for c, s, f in ((x, width, far[0]), (y, height, far[1])))
            np.testing.assert_allclose(shown, np.stack(np.meshgrid(column, row)) * (1, -1)[k], atol=1e-4)
        large = np.exp(seen[k, 4:]) * 32
        np.testing.assert_allclose(large, np.full((2, 6, 6), [[[width]], [[height]]]), rtol=1e-5)


def test_shares_are_of_the_pixels_of_a_cell(batch: Batch) -> None:
    cells = middles(batch)
    some = cells[1::2]
    cut = batch.marks[:, :-4, :-1]  # the last cells are of fewer pixels, and the last row of a mask is of none
    shown = (cut[some.image] == some.thing[:, None, None] + 1).float()[None]
    true = torch.nn.functional.avg_pool2d(shown, MASK_STRIDE, ceil_mode=True)[0]
    true = torch.nn.functional.pad(true, (0, 0, 0, 1))
    assert true.sum() > 10
    np.testing.assert_allclose(_shares(cut, some), true, atol=1e-6)
    assert not _shares(torch.zeros_like(cut), some).any()


def test_what_a_window_cut_most_of_is_neither_asked_for_nor_denied(images: ImageSet) -> None:
    example = images[0]
    shown = np.where(np.arange(len(example.things)) == 0, 0.2, 1.0)
    of = [replace(example, things=replace(example.things, shown=these)) for these in (shown, np.ones(len(shown)))]
    part, whole = (collate([each]) for each in of)
    assert set(answering(part, HEIGHT, WIDTH).thing.tolist()) == set(range(1, len(shown)))
    head = PresenceHead(shape_of(images))
    row, column = (int(one[0]) for one in middle_cells(part.boxes, HEIGHT, WIDTH))
    cut, left = (head._target(torch.zeros(1, 1, HEIGHT, WIDTH), batch)[0, 0, row, column] for batch in (part, whole))
    assert left == 1 and 0.99 < cut < 1


def test_every_thing_counts_as_much_as_another_however_many_cells_it_has() -> None:
    cells = Cells(*(torch.zeros(4, dtype=torch.int64) for _ in range(3)), torch.tensor([0, 0, 0, 2]))
    assert cells.shares.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1.0])
    assert float(Head.of_things(torch.tensor([3.0, 3.0, 3.0, 1.0]), cells)) == pytest.approx(2.0)
    assert float(Head.of_things(torch.zeros(0), NOWHERE)) == 0.0
