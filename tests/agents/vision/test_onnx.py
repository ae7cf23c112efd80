"""A model as ONNX has torch's answers, which mean what the page says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from command_line import simworld

from simworld.agents.data.framing import Framing, framed_image
from simworld.agents.vision.models import MODELS
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.seeing import Found, SeeingNetwork, VisionArchitecture

PAGE = (Path(__file__).parents[3] / "docs/vision.md").read_text()
ARCHITECTURE = VisionArchitecture(
    model="all",
    categories=("can", "mug"),
    points=((), ("handle", "rim")),
    size=(96, 64),
    widths=(8, 8, 16, 16),
    depths=(1, 1, 1, 1),
    features=16,
)
WIDTH, HEIGHT = 203, 160


def made(model: str) -> SeeingNetwork:
    made = SeeingNetwork(ARCHITECTURE.model_copy(update={"model": model}), seed=2).eval()
    with torch.no_grad():
        made.parts[0].look.last.bias.fill_(1.0)  # something is found everywhere
        made.parts[2].look.last.weight.mul_(9.0)
        made.parts[1].look.last.bias[2:] = 3.0  # which is not small
        for head in made.parts[3:]:
            head.look.last.weight.mul_(3.0)
        made.parts[3].look.last.bias[[8, 88, 89]] = 4.0  # it shows at some distance to the left and the right
        made.parts[3].look.last.bias[[18, 96]] = -4.0
    return made


@pytest.fixture(scope="module")
def network() -> SeeingNetwork:
    return made("all")


@pytest.fixture(scope="module")
def exported(network: SeeingNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the command writes, which says one line."""
    folder = tmp_path_factory.mktemp("onnx")
    network.save(folder / "model.safetensors")
    code, said, error = simworld("export-vision", folder / "model.safetensors", "--out", folder / "model.onnx")
    assert code == 0 and error == "" and len(said.splitlines()) == 1
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def runtime() -> ModuleType:
    module: ModuleType = pytest.importorskip("onnxruntime")
    return module


def test_onnx_gives_the_same_answers(runtime: ModuleType, network: SeeingNetwork, exported: Path) -> None:
    session = runtime.InferenceSession(str(exported))
    for count, height, width in ((1, 64, 96), (3, 64, 96), (2, 88, 128), (1, 101, 67)):
        seen = np.random.default_rng(count).integers(0, 255, (count, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            own = network(torch.from_numpy(seen))
        for one, other in zip(own, session.run(None, {"images": seen}), strict=True):
            np.testing.assert_allclose(one.numpy(), other, atol=1e-4)


class Page:
    """What docs/vision.md makes of the answers to two looks at a picture: where things are told, and how surely."""

    def __init__(self, picture: np.ndarray, mirrored: bool, run: Callable[[np.ndarray], dict[str, np.ndarray]]) -> None:
        self.mirrored = mirrored
        self.first = Framing.fitted((WIDTH, HEIGHT), (96, 64))
        assert self.first.scale == min(96 / WIDTH, 64 / HEIGHT)
        scale = 4 / 3 * self.first.scale
        self.larger = Framing(scale, 0.0, ((128 - scale * WIDTH) / 2, (88 - scale * HEIGHT) / 2))
        plain = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)
        looks = framed_image(plain, self.first, (96, 64)).numpy(), framed_image(plain, self.larger, (128, 88)).numpy()
        self.answers, self.other = run(looks[0]), run(looks[1][..., ::-1].copy() if mirrored else looks[1])
        (likely, chances), (its, its_chances) = self.sure(self.answers), self.sure(self.other)
        its = its[:, ::-1] if mirrored else its
        (tall, wide), (high, broad) = likely.shape, its.shape
        as_likely, place = np.empty(likely.shape), dict[tuple[int, int], tuple[int, int]]()
        for j, i in np.ndindex(likely.shape):
            (top, low), (left, right) = (
                (k * m // n, -(-(k + 1) * m // n)) for k, m, n in ((j, high, tall), (i, broad, wide))
            )
            part = its[top:low, left:right]
            down, along = divmod(int(part.argmax()), part.shape[1])
            column = left + along
            as_likely[j, i], place[j, i] = part.max(), (top + down, broad - 1 - column if mirrored else column)
            chances[:, j, i] = (chances[:, j, i] + its_chances[:, *place[j, i]]) / 2
        likely = (likely + as_likely) / 2
        scores = likely * chances
        padded = np.pad(likely, 1)
        beside = [padded[j : j + tall, i : i + wide] for j in range(3) for i in range(3)]
        scores[:, likely < np.max(beside, axis=0)] = 0
        self.score, (self.category, row, column) = scores.max(), np.unravel_index(scores.argmax(), scores.shape)
        self.at = {name: values[:, row, column].astype(float) for name, values in self.answers.items()}
        self.cell = np.array([8 * column + 4, 8 * row + 4])
        row, column = place[row, column]
        self.across = {name: values[:, row, column].astype(float) for name, values in self.other.items()}
        self.its_cell = np.array([8 * column + 4, 8 * row + 4])

    @staticmethod
    def sure(answers: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        chances = np.exp(answers["categories"].astype(float))
        return 1 / (1 + np.exp(-answers["presence"][0].astype(float))), chances / chances.sum(axis=0)

    def in_picture(self, pixels: np.ndarray) -> np.ndarray:
        return (pixels - self.first.shift) / self.first.scale

    def in_first(self, pixels: np.ndarray) -> np.ndarray:
        """Of the second look."""
        there = np.array([128, 0]) + pixels * (-1, 1) if self.mirrored else pixels
        return (there - self.larger.shift) / self.larger.scale * self.first.scale + self.first.shift

    def check(self, found: Found, camera: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
        """What all models tell of the likeliest thing; the pixels of its origin."""
        assert found.scores[0] == pytest.approx(self.score, abs=1e-5)
        assert found.categories[0] == self.category
        middles = (self.cell + 16 * self.at["boxes"][:2], self.in_first(self.its_cell + 16 * self.across["boxes"][:2]))
        sides, its = (16 * np.log1p(np.exp(each["boxes"][2:])) for each in (self.at, self.across))
        sides = (sides + its / self.larger.scale * self.first.scale) / 2
        middle = np.mean(middles, axis=0)
        low, high = (self.in_picture(middle + half).clip(0, (WIDTH, HEIGHT)) for half in (-sides / 2, sides / 2))
        np.testing.assert_allclose(found.boxes[0], [*low, *(high - low)], atol=1e-2)
        there = self.in_first(self.its_cell + 16 * self.across["position"][:2])
        origins = [self.cell + 16 * self.at["position"][:2], there]
        eye, places = -camera[1][:, :3].T @ camera[1][:, 3], list[np.ndarray]()
        for origin, height in zip(origins, (self.at["position"][2], self.across["position"][2]), strict=True):
            ray = camera[1][:, :3].T @ np.linalg.solve(camera[0], (*self.in_picture(origin), 1.0))
            places.append(eye + ray * (0.05 * height - eye[2]) / ray[2])
        assert found.positions is not None
        np.testing.assert_allclose(found.positions[0], np.mean(places, axis=0), atol=1e-3)
        return origins


def camera_at() -> tuple[np.ndarray, np.ndarray]:
    camera = np.array([[180.0, 0, WIDTH / 2], [0, 180.0, HEIGHT / 2], [0, 0, 1]]), np.eye(3, 4)
    turned, signs = np.linalg.qr(np.array([[0.1, 1.0, 0.2], [0.3, -0.1, -1.0], [-1.0, 0.1, -0.4]]))
    camera[1][:, :3] = turned * np.sign(np.diag(signs))
    camera[1][:, 3] = 0.1, -0.2, 1.0
    return camera


def test_the_page_says_how_mirrors_are_looked_at() -> None:
    network = made("detector")
    picture, names = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8), MODELS["detector"]

    def run(seen: np.ndarray) -> dict[str, np.ndarray]:
        with torch.no_grad():
            told = network(torch.from_numpy(seen)[None])
        return {head.name: each[0].numpy() for head, each in zip(names, told, strict=True)}

    Page(picture, True, run).check(network.see([Photo(picture, *camera_at())])[0], camera_at())


def test_the_page_says_what_the_answers_mean(runtime: ModuleType, network: SeeingNetwork, exported: Path) -> None:
    picture, camera = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8), camera_at()
    found = network.see([Photo(picture, *camera)])[0]
    session = runtime.InferenceSession(str(exported))
    names = [output.name for output in session.get_outputs()]
    assert re.findall(r"^\| `(\w+)` \| (?:one|\d)", PAGE, re.MULTILINE) == names == [h.name for h in MODELS["all"]]
    told = json.loads(session.get_modelmeta().custom_metadata_map["architecture"])
    assert told["categories"] == ["can", "mug"] and told["points"] == [[], ["handle", "rim"]]

    def run(seen: np.ndarray) -> dict[str, np.ndarray]:
        return {name: each[0] for name, each in zip(names, session.run(None, {"images": seen[None]}), strict=True)}

    page = Page(picture, False, run)
    origins, at, cell, in_picture = page.check(found, camera), page.at, page.cell, page.in_picture
    low, high = found.boxes[0][:2], found.boxes[0][:2] + found.boxes[0][2:]
    points = in_picture(cell + 16 * at["keypoints"].reshape(-1, 2))
    np.testing.assert_allclose(found.keypoints[0], points, atol=1e-2)  # type: ignore[index]

    along = np.linalg.solve(camera[0], (*in_picture(np.mean(origins, axis=0)), 1.0))
    told = at["rotation"][:42].reshape(7, 3, 2)[at["rotation"][42:].argmax()]
    u, _, v = np.linalg.svd(told, full_matrices=False)
    first, second = (u @ v).T
    up = camera[1][:, 2]
    ahead = along / np.linalg.norm(along) + (0, -1, 0)
    ahead -= up * (up @ ahead)
    ahead /= np.linalg.norm(ahead)
    turn = np.stack([np.cross(ahead, up), ahead, up], axis=1)
    own = np.stack([first, second, np.cross(first, second)], axis=1)
    np.testing.assert_allclose(found.rotations[0], turn @ own, atol=1e-3)  # type: ignore[index]

    tall, wide = page.answers["presence"][0].shape
    masks = (
        page.answers["masks"][97:].reshape(8, 2, 2, tall, wide).transpose(0, 3, 1, 4, 2).reshape(8, 2 * tall, 2 * wide)
    )
    weights = at["masks"][:97]
    across, down = np.meshgrid(4 * np.arange(masks.shape[2]) + 2, 4 * np.arange(masks.shape[1]) + 2)
    values = np.concatenate([masks, (across - cell[0])[None] / 64, (down - cell[1])[None] / 64]).reshape(10, -1)
    a, b, c, d = np.split(weights, [80, 88, 96])
    shown = (c @ np.maximum(a.reshape(8, 10) @ values + b[:, None], 0) + d).reshape(masks.shape[1:]) > 0
    alike, compared = found.masks[0], list[bool]()  # type: ignore[index]
    for j, i in np.ndindex(shown.shape):
        here = in_picture(np.array([4 * i + 2, 4 * j + 2]))
        around = shown[max(j - 1, 0) : j + 2, max(i - 1, 0) : i + 2]
        if (here > low + 1).all() and (here < high - 1).all() and (around == shown[j, i]).all():
            compared.append(bool(shown[j, i]))
            assert alike[int(here[1]), int(here[0])] == shown[j, i]
    assert len(compared) > 12 and {*compared} == {False, True}


def test_a_missing_folder_is_found_before_any_work(
    network: SeeingNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simworld.agents.vision.onnx_export import export_onnx
    from simworld.errors import DatasetError

    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: pytest.fail("it was exported"))
    with pytest.raises(DatasetError, match="there is no folder"):
        export_onnx(network, tmp_path / "none/model.onnx")
