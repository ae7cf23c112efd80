"""The tutorial does what it says, as it stands there; its file is the whole configuration of an environment."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import simworld as sw
from simworld.datasets.store.verify import verify
from simworld.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
YAML, PYTHON = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8").split("## In Python\n")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(folder: Path, program: str) -> str:
    """What the program prints; a warning is an error."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def mug(tmp_path: Path) -> Path:
    (file,) = blocks(YAML, "yaml")
    assert file.startswith("# mug.yaml")
    (tmp_path / "mug.yaml").write_text(file, encoding="utf-8")
    return tmp_path / "mug.yaml"


def test_what_is_in_yaml(mug: Path) -> None:
    said = run(mug.parent, "\n".join(blocks(YAML, "python"))).splitlines()
    assert re.search(r"put the .*mug into the .*box", said[0]) and "'over_rgb': (96, 128, 3)" in said[0]
    assert int(said[-1].split(" of ")[0]) >= 3, said
    picture = np.asarray(Image.open(mug.parent / "mug.png"))
    assert picture.shape == (96, 256, 3) and picture.std() > 10
    assert verify(mug.parent / "mugs") == [] and verify(mug.parent / "pictures") == []
    (episode,) = sw.read_episodes(mug.parent / "mugs")
    assert episode.environment["robot"] == "xarm6" and episode.infos["is_success"][-1]


def test_what_is_in_python(tmp_path: Path) -> None:
    task, *rest = blocks(PYTHON, "python")
    (tmp_path / "upright_mug.py").write_text(task, encoding="utf-8")
    said = run(tmp_path, "\n".join(["from upright_mug import *", *rest])).splitlines()
    assert "'upright': " in said[0] and said[1].startswith("(2, 84, 84, 3) ") and said[2] == "0"
    found = run(tmp_path, 'import gymnasium as gym\nprint(gym.make("upright_mug:me/UprightMug-v0").spec.id)')
    assert found == "me/UprightMug-v0\n"


def test_a_configuration_in_yaml_is_the_one_in_json(mug: Path) -> None:
    config = sw.EnvConfig.load(mug)
    assert sw.EnvConfig.from_json(config.to_json()) == config
    assert config.randomization == sw.DEFAULT | {
        "objects.*.mass": sw.Uniform(0.1, 0.2),
        "lights.count": 2,
        "camera.over.fov": sw.Uniform(0.7, 0.9),
    }
    assert (config.robot, config.reward, config.image_size) == ("xarm6", "shaped", (128, 96))


def test_a_task_that_ships_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("task: reach\nrandomization: default+dynamics\ncontrol: joint_delta\n")
    config = sw.EnvConfig.load(tmp_path / "mine.yaml")
    assert config == sw.EnvConfig(task="reach", randomization="default+dynamics", control="joint_delta")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- reach", "a configuration is a mapping, got"),
        ("task: raech", "raech.*did you mean 'reach'"),
        ("robot: panda", "task"),
        ("task: reach\nrobto: panda", "unexpected keyword argument 'robto'; did you mean 'robot'"),
        ("task: reach\nrandomization: {gravity: uniform(9, }", "mine.yaml: "),
        ("task: reach\ntask: push", "the key 'task' is there twice"),
        ("task: {name: mine}", "task"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_file(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=said) as refused:
        sw.EnvConfig.load(tmp_path / "mine.yaml")
    assert "mine.yaml" in str(refused.value) and "\n" not in str(refused.value)
