"""Datasets of images as they are made from environments, read by nothing but what is in their folders."""

import itertools
import json
from collections import Counter
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from simworld.agents.collect import collect_episode, manipulation, stage
from simworld.agents.experts import expert
from simworld.annotation.labels import project
from simworld.assets.catalogue import category
from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.objects import KINDS
from simworld.building.spec import SceneSpec
from simworld.datasets.splits import split_images
from simworld.datasets.store.episode_reading import read_episodes
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.cli.app import app
from simworld.experiments.recipes.environments import make_env
from simworld.experiments.recipes.labelled_images import categories, named_in, write_labelled_images
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.geometry import Array, transform_points
from simworld.randomization.possible import Possible
from simworld.randomization.presets import PRESETS, VISUAL
from simworld.scene.state import camera_pose

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space

PLACE, REACH = "simworld/PlaceInBox-v0", "simworld/Reach-v0"
SMALL = (48, 36)
COCO_IMAGE = {"id", "width", "height", "file_name", "depth_file", "depth_gt_file", "segmentation_file"}
COCO_ANNOTATION = {"id", "image_id", "category_id", "iscrowd"}


def written(folder: Path, **options: Any) -> dict[str, Any]:
    write_labelled_images(folder, PLACE, **{"size": SMALL, "count": 4, "seed": 5} | options)
    content: dict[str, Any] = json.loads((folder / "annotations.json").read_text())
    return content


def pixels(camera: dict[str, Any], points: Array) -> Array:
    """Pixels (n, 2) of points (n, 3) in the camera's frame by Brown and Conrady's formula as OpenCV writes it."""
    x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
    (fx, _, cx), (_, fy, cy), _ = np.reshape(camera["K"], (3, 3))
    k1, k2, p1, p2, k3 = camera["distortion"]
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)
    v = y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
    return np.column_stack([fx * u + cx, fy * v + cy])


def undistorted(camera: dict[str, Any], u: Array, v: Array) -> tuple[Array, Array]:
    """The rays (x, y, 1) that appear at pixels, by iteration as in OpenCV."""
    (fx, _, cx), (_, fy, cy), _ = np.reshape(camera["K"], (3, 3))
    k1, k2, p1, p2, k3 = camera["distortion"]
    x, y = at = (u - cx) / fx, (v - cy) / fy
    for _ in range(50):
        r2 = x**2 + y**2
        radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        along = 2 * p1 * x * y + p2 * (r2 + 2 * x**2), p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
        x, y = (at[0] - along[0]) / radial, (at[1] - along[1]) / radial
    return x, y


def corners(annotation: dict[str, Any]) -> Array:
    """The corners (8, 3) of the 3D box of an annotation, in its own frame."""
    signs = np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).reshape(3, -1).T
    box = annotation["bbox_3d"]
    return signs * box["half_extents"] + box["center"]


def in_camera(annotation: dict[str, Any], points: Array) -> Array:
    pose = annotation["pose_camera"]
    return points @ np.reshape(pose["rotation"], (3, 3)).T + pose["translation"]


def picture(folder: Path, image: dict[str, Any], field: str) -> np.ndarray:
    return np.array(Image.open(folder / image[field]))


@pytest.fixture(scope="module")
def extreme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images by distorting lenses and sensors that are rolled and cropped."""
    folder = tmp_path_factory.mktemp("extreme")
    cameras = ("front", "wrist", "side")
    write_labelled_images(
        folder, PLACE, count=6, seed=5, randomization="extreme", cameras=cameras, size=(640, 480), views="all"
    )
    return folder


def test_the_camera_that_is_written_projects_to_the_pixel(extreme: Path) -> None:
    content = json.loads((extreme / "annotations.json").read_text())
    images = {image["id"]: image for image in content["images"]}
    assert all(np.abs(image["camera"]["distortion"][:4]).min() > 0 for image in images.values())
    seen = 0
    with closing(make_env(PLACE, "extreme")) as env:
        staged = {
            index: stage(manipulation(env), expert(EnvConfig(task="place_in_box")), 5, index)
            for index in {i["index"] for i in images.values()}
        }
    for annotation in content["annotations"]:
        image = images[annotation["image_id"]]
        scene, state = staged[image["index"]].scene, staged[image["index"]].state
        camera = scene.camera(image["camera"]["name"]).resized(640, 480)
        in_world = transform_points(state.body_poses[scene.body_index(annotation["name"])], corners(annotation))
        expected = project(in_world, camera, camera_pose(scene, state, camera))
        found = pixels(image["camera"], in_camera(annotation, corners(annotation)))
        visible = np.isfinite(expected).all(axis=1)
        np.testing.assert_allclose(found[visible], expected[visible], atol=1e-3)
        # The pose of the thing and that of the camera say the same.
        R, t = np.split(np.reshape(image["camera"]["world_to_camera"], (3, 4)), [3], axis=1)
        np.testing.assert_allclose(in_world @ R.T + t.T, in_camera(annotation, corners(annotation)), atol=1e-6)
        seen += int(visible.sum())
    assert seen > 40


def test_what_pixels_show_at_their_depth_is_in_the_boxes_of_their_labels(extreme: Path) -> None:
    content = json.loads((extreme / "annotations.json").read_text())
    shown = off = 0
    for image in content["images"]:
        segmentation = picture(extreme, image, "segmentation_file")
        depth = picture(extreme, image, "depth_gt_file") * image["depth_scale"]
        for annotation in (a for a in content["annotations"] if a["image_id"] == image["id"]):
            rows, columns = np.nonzero(segmentation == annotation["instance_id"])
            assert len(rows) == annotation["area"]
            x, y = undistorted(image["camera"], columns + 0.5, rows + 0.5)
            seen = np.column_stack([x, y, np.ones_like(x)]) * depth[rows, columns, None]
            pose, box = annotation["pose_camera"], annotation["bbox_3d"]
            own = (seen - pose["translation"]) @ np.reshape(pose["rotation"], (3, 3))
            beyond = (np.abs(own - box["center"]) - box["half_extents"]).max(axis=1)
            # Where a face is seen edge-on, a lens bends its edge by a part of a pixel, and the depth is its plane's.
            assert beyond.max() < 0.015
            shown, off = shown + len(rows), off + int((beyond > 2e-3).sum())
    assert shown > 10_000 and off < shown / 1000


def test_depth_is_there_as_sensed_and_as_it_is(extreme: Path) -> None:
    content = json.loads((extreme / "annotations.json").read_text())
    assert content["info"]["depth_scale"] == 1e-4
    for image in content["images"]:
        sensed, exact = (picture(extreme, image, field) for field in ("depth_file", "depth_gt_file"))
        assert ((sensed == 0) & (exact > 0)).any(), "holes"
        assert (exact > 0)[picture(extreme, image, "segmentation_file") > 0].all()
        measured = (sensed > 0) & (sensed < 65535)
        assert np.abs(sensed[measured] - exact[measured].astype(float)).max() > 1


def test_a_dataset_names_its_instances_and_says_what_its_numbers_mean(extreme: Path) -> None:
    content = json.loads((extreme / "annotations.json").read_text())
    fixed = [(i["id"], i["name"]) for i in content["info"]["instances"]]
    assert fixed[:4] == [(1, "robot"), (2, "floor"), (3, "table"), (4, "box")]
    for image in content["images"]:
        instances = {instance["id"]: instance for instance in image["instances"]}
        seen = np.unique(picture(extreme, image, "segmentation_file")).tolist()
        assert set(seen) - {0} <= set(instances)
        for annotation in (a for a in content["annotations"] if a["image_id"] == image["id"]):
            instance = instances[annotation["instance_id"]]
            category = content["categories"][annotation["category_id"] - 1]["name"]
            assert (instance["name"], instance["category"]) == (annotation["name"], category)
        # All that is written of an image, a camera and an annotation is described, and so is every parameter.
        described = {word.strip(",") for key in content["info"]["image_fields"] for word in key.split()}
        assert set(image) - COCO_IMAGE <= described | set(content["info"]["conventions"])
        for word in image["camera"]:
            assert word in content["info"]["image_fields"]["camera"]
        known = content["info"]["parameters"]
        assert all(SPACE.starred(address) in known for address in image["parameters"] if address in SPACE)
    fields = " ".join(content["info"]["annotation_fields"])
    assert all(name in fields for name in content["annotations"][0] if name not in COCO_ANNOTATION)


def test_several_cameras_take_turns_or_all_see_every_scene(tmp_path: Path) -> None:
    cameras = ("front", "side")
    for views, expected in (
        ("one", [("front", 0), ("side", 1), ("front", 2), ("side", 3)]),
        ("all", [("front", 0), ("side", 0), ("front", 1), ("side", 1)]),
    ):
        images = written(tmp_path / views, cameras=cameras, views=views)["images"]
        assert [(image["camera"]["name"], image["index"]) for image in images] == expected
        assert [image["group"] for image in images] == [f"5/{index}" for _, index in expected]
    first, second, *_ = images
    assert first["parameters"] == second["parameters"] and first["camera"]["K"] != second["camera"]["K"]
    parts = split_images(tmp_path / "all", {"train": 0.5, "test": 0.5})
    assert sorted(parts.values()) == [[1, 2], [3, 4]]


def test_views_by_all_cameras_are_the_same_after_an_interruption(tmp_path: Path) -> None:
    options = {"cameras": ("front", "side"), "views": "all"}
    written(tmp_path, **options)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    (tmp_path / "images/000003.png").unlink()
    written(tmp_path, **options)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == files


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"views": "each"}, r"views: must be one of \['one', 'all'\], got 'each'"),
        ({"cameras": ("front", "front")}, "camera 'front': is there twice"),
        ({"cameras": ("front", "side"), "views": "all", "count": 3}, "must be a multiple of the 2 cameras.* got 3"),
        ({"views": "all", "quotas": ["touching=1"]}, "with them it must be 'one'"),
    ],
)
def test_views_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        written(tmp_path / "no", **options)
    assert not (tmp_path / "no").exists()


def test_requests_that_differ_share_no_scene_and_the_same_one_goes_on(tmp_path: Path) -> None:
    requests: list[dict[str, Any]] = [{}, {"randomization": "visual"}, {"count": 3}, {"size": (49, 36)}]
    asked = [{"count": 2, "size": SMALL, "randomization": "full"} | options for options in requests]
    drawn, seeds = [], []
    for number, options in enumerate(asked):
        report = write_labelled_images(tmp_path / str(number), PLACE, **options)
        images = json.loads((tmp_path / str(number) / "annotations.json").read_text())["images"]
        seeds.append(report.seed)
        assert {image["seed"] for image in images} == {report.seed}
        drawn += [(image["parameters"], options["randomization"]) for image in images]
    assert len(set(seeds)) == len(seeds) and all(2**30 <= seed < 2**31 for seed in seeds)
    # Of what varies continuously in both, no two scenes share anything, images of one dataset least of all.
    scene = EnvConfig(task="place_in_box").scene
    possible = {name: Possible(scene, PRESETS[name]) for name in ("full", "visual")}
    compared = 0
    for (one, name), (two, other) in itertools.combinations(drawn, 2):
        for address in one.keys() & two.keys():
            if possible[name][address].continuous and possible[other][address].continuous:
                assert one[address] != two[address], address
                compared += 1
    assert compared > 2000
    assert write_labelled_images(tmp_path / "0", PLACE, **asked[0]).made == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [({"noise": 0}, {"noise": -0.0}), ({"noise": 0.0}, {"noise": np.float64(0)}), ({"noise": 1}, {"noise": 1.0})],
)
def test_rollouts_that_mean_the_same_are_the_same(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    first, again = (write_rollouts(tmp_path, REACH, episodes=1, **options) for options in (one, other))
    assert first.seed == again.seed and (first.made, again.made) == (1, 0)


def test_images_that_mean_the_same_are_the_same(tmp_path: Path) -> None:
    options: dict[str, Any] = {"count": 1, "size": SMALL}
    first, again = (write_labelled_images(tmp_path, PLACE, views=views, **options) for views in ("one", "all"))
    assert first.seed == again.seed and (first.made, again.made) == (1, 0)


def test_rollouts_have_seeds_of_their_requests_and_say_what_they_vary(tmp_path: Path) -> None:
    seeds = {
        name: write_rollouts(tmp_path / name, REACH, **{"episodes": 2} | options).seed
        for name, options in {"plain": {}, "noisy": {"noise": 0.1}, "short": {"episodes": 1}}.items()
    }
    assert len(set(seeds.values())) == 3 and all(seed and 2**30 <= seed < 2**31 for seed in seeds.values())
    assert [(e.seed, e.index, e.group) for e in read_episodes(tmp_path / "plain")] == [
        (seeds["plain"], index, index) for index in range(2)
    ]
    with closing(make_env(REACH, "none")) as env:
        assert collect_episode(env, expert(EnvConfig(task="reach")), 3, 7, group=2).group == 2


def test_images_of_quotas_are_of_different_scenes_unless_replays_are_asked_for(tmp_path: Path) -> None:
    quotas = {"quotas": ["occlusion[0.1,1]=50%"], "count": 8, "seed": 3}
    images = written(tmp_path / "plain", **quotas)["images"]
    assert len({image["group"] for image in images}) == 8
    assert all(image["group"] == f"3/{image['index']}" for image in images)
    images = written(tmp_path / "replayed", **quotas | {"replays": 3, "count": 16})["images"]
    groups = Counter(image["group"] for image in images)
    assert 4 <= len(groups) < 16 and max(groups.values()) <= 4
    report = json.loads((tmp_path / "replayed/quotas.json").read_text())["report"]
    assert (report["groups"], report["related"]) == (len(groups), 3)
    request = json.loads((tmp_path / "replayed/request.json").read_text())
    assert request["replays"] == 3
    parts = split_images(tmp_path / "replayed", {"train": 0.7, "test": 0.3})
    train, test = ({images[i - 1]["group"] for i in part} for part in parts.values())
    assert not train & test and len(parts["train"]) + len(parts["test"]) == 16


def test_distractors_have_a_category_where_there_may_be_some() -> None:
    for labelled, more in (("yes", ()), ("distractor", ("distractor",)), ("no", ())):
        spec = SceneSpec(entities=(Table(), Prop("object"), Props("clutter", 0, 3, labelled=labelled)))
        assert named_in(spec) == (*categories(), *more)


def test_categories_are_the_same_in_all_datasets_and_visual_shows_every_kind(tmp_path: Path) -> None:
    content = written(tmp_path / "plain", randomization="none")
    assert [known["name"] for known in content["categories"]] == sorted(categories())
    drawn = {category(kind) for kind in VISUAL["objects.*.kind"].support()}
    assert drawn == {category(kind) for kind in KINDS}
    with closing(make_env(PLACE, "visual")) as env:
        kinds = Counter(
            body.category
            for index in range(30)
            for body in stage(manipulation(env), None, 1, index, {"view.step": 0}).scene.bodies[3:]
        )
    assert set(kinds) == drawn


@pytest.mark.parametrize(("env_id", "warned"), [(REACH, True), (PLACE, False)])
def test_images_without_labels_are_said_with_their_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], env_id: str, warned: bool
) -> None:
    told = pytest.warns(UserWarning, match="nothing is there to label") if warned else nullcontext()
    arguments = ["images", env_id, "--count", "1", "--size", "32x24", "--randomization", "none", "--out", str(tmp_path)]
    with told, pytest.raises(SystemExit) as stop:
        app(arguments)
    printed = capsys.readouterr()
    seed = json.loads((tmp_path / "request.json").read_text())["seed"]
    assert not stop.value.code and f"seed {seed}" in printed.out
    annotations = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    assert f"1 images of 1 different scenes with {len(annotations)} annotations" in printed.out
    assert bool(annotations) != warned
    assert ("box 1, cuboid 1\n" in printed.out) != warned


def test_nothing_is_said_of_labels_where_a_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(DatasetError, match="holds other files"):
        write_labelled_images(tmp_path, REACH, count=1, size=SMALL)
    with pytest.raises(ConfigurationError, match="nothing here has it"):
        write_labelled_images(tmp_path / "no", REACH, count=1, size=SMALL, quotas=["occlusion[0,0.5]=100%"])
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("env_id", ["simworld/Flip-v0", "simworld/Push-v0"])
def test_goals_are_in_no_labelled_image(env_id: str) -> None:
    with closing(make_env(env_id, "none")) as env:
        base = manipulation(env)
        moment = stage(base, expert(base.config), 3, 0)
        shown = base.sample.scene
        assert any(body.marker for body in shown.bodies) and not any(body.marker for body in moment.scene.bodies)
        # What is left is where it was, and touches what it touched, by the numbers that it now has.
        for name in moment.scene.instances.keys() - {"robot"}:
            row, was = moment.scene.body_index(name), shown.body_index(name)
            np.testing.assert_array_equal(moment.state.body_poses[row], base.world.state().body_poses[was])
        names = {number: name for name, number in moment.scene.instances.items()}
        before = {number: name for name, number in shown.instances.items()}
        touching = [(names[c.instance_a], names[c.instance_b]) for c in moment.state.contacts]
        assert touching == [(before[c.instance_a], before[c.instance_b]) for c in base.world.state().contacts] != []
