"""The walks of docs/extending.md: what they add works as it stands there, and the folders that they name are there."""

import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import simworld  # noqa: F401

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")


def from_page(name: str) -> Any:
    """What a block of the page defines as `name`."""
    (block,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if f"\n{name} = " in block)
    defined: dict[str, Any] = {"__name__": "walk"}
    exec(compile(block, "docs/extending.md", "exec"), defined)
    return defined[name]


def test_the_object_family_is_as_large_as_asked() -> None:
    bar, post = from_page("GENERATOR").generate((0.06, 0.04, 0.08), 0)
    assert bar.position[2] + bar.half_extents[2] == pytest.approx(0.04)
    assert post.position[2] - post.half_extents[2] == pytest.approx(-0.04)
    assert bar.position[2] - bar.half_extents[2] == pytest.approx(post.position[2] + post.half_extents[2])


def test_the_family_is_closed_and_hollow() -> None:
    form = from_page("FAMILY").make(np.random.default_rng(0))
    (shell,) = form.shells
    edges = shell.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()
    assert sorted(edges) == sorted([b, a] for a, b in edges)
    middle = np.concatenate([part.vertices for part in form.parts if part.vertices[:, 2].max() > 0.02])
    assert np.hypot(*middle[:, :2].T).min() > 0.025


def test_the_renderer_paints_instances() -> None:
    env: Any = gym.make("simworld/PlaceInBox-v0").unwrapped
    env.reset(seed=0)
    scene, renderer = env.sample.scene, from_page("RENDERER")()
    camera = scene.camera("front").resized(64, 48)
    frame = renderer.render(scene, env.world.state(), camera)
    color = np.rint(255 * np.array(scene.body("box").material.color))
    assert (frame.rgb[frame.segmentation == scene.instances["box"]] == color).all()
    renderer.close()
    env.close()


@pytest.mark.parametrize("pattern", re.findall(r"^\| .*? \| `([\w/]+)/NAME.*?` \|", PAGE, re.MULTILINE))
def test_folders_are_there(pattern: str) -> None:
    assert any((ROOT / pattern).iterdir())
