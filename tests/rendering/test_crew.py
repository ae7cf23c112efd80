"""What threads render while frames are being added is what is rendered of each alone."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from seen_scenes import body_of, pinhole, sampled, scene_of

from simworld.errors import RenderError
from simworld.rendering.frame import empty
from simworld.rendering.raster.canvas import Shot
from simworld.rendering.raster.crew import Crew
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.model import Box

CHANNELS = ("rgb", "depth", "segmentation")


def views(size: tuple[int, int], later: bool) -> list[list[Shot]]:
    """Two cameras of each of some scenes, the first of which has the fewest triangles."""
    scene, state = scene_of(body_of(Box(half_extents=(0.1, 0.2, 0.3))))
    camera = pinhole((1, 1, 1), (0, 0, 0))
    made = [[Shot(scene, state, camera.resized(*size)), Shot(scene, state, camera.resized(*size[::-1]))]]
    for k in range(4):
        scene, before, after = sampled(k)
        cameras = [scene.camera(name).resized(*size) for name in ("front", "wrist")]
        made.append([Shot(scene, after if later else before, camera) for camera in cameras])
    return made


def check(crew: Crew, todo: list[list[Shot]]) -> None:
    """Raise AssertionError unless the crew renders what a new renderer does."""
    made = [[empty(CHANNELS, shot.scene, shot.camera) for shot in shots] for shots in todo]
    crew.begin(len(todo))
    for shots, arrays in zip(todo, made, strict=True):
        crew.add(list(zip(shots, arrays, strict=True)))
    crew.end()
    alone = RasterRenderer()
    for shots, arrays in zip(todo, made, strict=True):
        for shot, mine in zip(shots, arrays, strict=True):
            theirs = alone.render(shot.scene, shot.state, shot.camera, CHANNELS)
            assert all(np.array_equal(mine[name], getattr(theirs, name)) for name in CHANNELS)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_crew_renders_what_is_rendered_of_each_alone(threads: int) -> None:
    renderer = RasterRenderer()
    with closing(renderer.crew(2, threads)) as crew:
        for size, later in (((24, 18), False), ((24, 18), True), ((64, 48), False), ((24, 18), True)):
            check(crew, views(size, later))
            check(crew, views(size, later)[::-1])
        check(crew, [])


def test_what_stays_may_be_elsewhere_in_another_state() -> None:
    (shots, *_) = views((24, 18), False)
    moved = [
        shot._replace(state=replace(shot.state, body_poses=shot.state.body_poses + [[0.1, 0, 0, 0, 0, 0, 0]]))
        for shot in shots
    ]
    with closing(RasterRenderer().crew(2, 2)) as crew:
        for todo in ([shots], [moved], [shots]):
            check(crew, todo)


def test_poses_that_are_none_are_refused_and_the_next_frames_made() -> None:
    todo = views((24, 18), False)
    shot = todo[2][1]
    broken = shot._replace(state=replace(shot.state, link_poses=shot.state.link_poses * np.nan))
    with closing(RasterRenderer().crew(2, 2)) as crew:
        check(crew, todo)
        crew.begin(5)
        for shots in (todo[1], [todo[2][0], broken], todo[3]):
            crew.add([(shot, empty(CHANNELS, shot.scene, shot.camera)) for shot in shots])
        with pytest.raises(RenderError, match="not finite"):
            crew.end()
        check(crew, todo)
