"""What threads render while frames are being added is what is rendered of each alone, whatever comes in between."""

import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest
from seen_scenes import body_of, pinhole, sampled, scene_of

from simworld.errors import ConfigurationError, RenderError
from simworld.rendering.frame import empty
from simworld.rendering.raster import canvas
from simworld.rendering.raster.canvas import Shot
from simworld.rendering.raster.crew import Crew
from simworld.rendering.raster.helpers import Helpers
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.model import Box
from tests.support.killing import forked

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


def add(crew: Crew, shots: list[Shot]) -> None:
    crew.add([(shot, empty(CHANNELS, shot.scene, shot.camera)) for shot in shots])


def check(crew: Crew, todo: list[list[Shot]]) -> None:
    """Raise AssertionError unless the crew renders what a new renderer does."""
    made = [[empty(CHANNELS, shot.scene, shot.camera) for shot in shots] for shots in todo]
    crew.begin()
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
    with closing(renderer.crew(2, 5, threads)) as crew:
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
    with closing(RasterRenderer().crew(2, 5, 2)) as crew:
        for todo in ([shots], [moved], [shots]):
            check(crew, todo)


def test_poses_that_are_none_are_refused_and_the_next_frames_made() -> None:
    todo = views((24, 18), False)
    shot = todo[2][1]
    broken = shot._replace(state=replace(shot.state, link_poses=shot.state.link_poses * np.nan))
    with closing(RasterRenderer().crew(2, 5, 2)) as crew:
        check(crew, todo)
        crew.begin()
        for shots in (todo[1], [todo[2][0], broken], todo[3]):
            add(crew, shots)
        with pytest.raises(RenderError, match="not finite"):
            crew.end()
        check(crew, todo)


@pytest.mark.parametrize("threads", [1, 2])
def test_large_frames_and_a_scene_that_comes_twice_are_rendered_as_they_are_alone(threads: int) -> None:
    """Room for large ones is not kept; what is kept of a scene is for one thread at a time."""
    small, large = views((24, 18), False), views((1500, 1400), False)[1][:1] + views((24, 18), False)[1][1:]
    with closing(RasterRenderer().crew(2, 5, threads)) as crew:
        check(crew, [large, *small[2:]])
        check(crew, [small[2], large, small[3]])
        check(crew, [small[1], small[2], small[1], small[1]])


def test_what_is_kept_is_enough_for_as_many_scenes_as_are_drawn_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    many, begun = 70, []
    kept_scene = canvas.KeptScene
    monkeypatch.setattr(canvas, "KeptScene", lambda *given: begun.append(1) or kept_scene(*given))
    scene, state = scene_of(body_of(Box(half_extents=(0.1, 0.2, 0.3))))
    camera = pinhole((1, 1, 1), (0, 0, 0)).resized(8, 8)
    todo = [[Shot(scene.model_copy(), state, camera)] for _ in range(many)]
    with closing(RasterRenderer().crew(1, many, 2)) as crew:
        for _ in range(2):
            crew.begin()
            for shots in todo:
                add(crew, shots)
            crew.end()
    assert len(begun) == many


def test_more_frames_than_was_said_are_refused() -> None:
    todo = views((24, 18), False)
    refused = pytest.raises(ConfigurationError, match="takes 2 times 2 frames")
    with closing(RasterRenderer().crew(2, 2, 2)) as crew:
        with refused:
            add(crew, todo[0])
        crew.begin()
        for wrong in (todo[0][:1], todo[0] + todo[1]):
            with refused:
                add(crew, wrong)
        add(crew, todo[0])
        add(crew, todo[1])
        with refused:
            add(crew, todo[2])
        crew.end()
        with refused:
            add(crew, todo[0])
        check(crew, todo[:2])


def test_a_crew_and_many_threads_render_in_a_forked_process() -> None:
    todo, renderer = views((24, 18), False), RasterRenderer()
    with closing(renderer.crew(2, 5, 3)) as crew:

        def render() -> None:
            check(crew, todo)
            renderer.render_many(todo[1], threads=2)

        def child() -> None:
            signal.alarm(20)  # which ends one that hangs
            render()

        render()
        assert forked(child) == 0
        check(crew, todo)


@pytest.mark.parametrize("many", [False, True])
def test_an_interrupt_leaves_nobody_at_work_who_disturbs_the_next_frames(many: bool) -> None:
    todo, renderer = views((64, 48), False), RasterRenderer()
    shots = [shot for shots in todo for shot in shots]
    with closing(renderer.crew(2, 5, 2)) as crew:

        def draw_crew() -> None:
            crew.begin()
            try:
                for shots in todo:
                    add(crew, shots)
            finally:
                crew.end()

        def draw_many() -> None:
            renderer.render_many(shots, CHANNELS, threads=2)

        draw = draw_many if many else draw_crew
        for _ in range(3):  # what is compiled is compiled before
            draw()
        assert sum(interrupted(draw, 0.0001 * after) for after in range(1, 40)) > 3
        check(crew, todo)
        for shot, frame in zip(shots, renderer.render_many(shots, CHANNELS, threads=2), strict=True):
            alone = RasterRenderer().render(shot.scene, shot.state, shot.camera, CHANNELS)
            assert all(np.array_equal(getattr(frame, name), getattr(alone, name)) for name in CHANNELS)


def interrupted(action: Callable[[], None], after: float) -> bool:
    """Whether an interrupt after some seconds, as Ctrl-C is one, ended an action."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, after)
        action()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True
    finally:
        signal.signal(signal.SIGALRM, before)
    return False


def test_errors_of_helpers_are_raised_and_others_do_not_stop_them() -> None:
    helpers, done = Helpers(2), []

    def work(part: int) -> None:
        done.append(part)
        if part:
            raise RenderError("it fails")

    for _ in range(2):
        helpers.start(work, [0, 1])
        with pytest.raises(RenderError, match="it fails"):
            helpers.finish()
        helpers.finish()
    helpers.start(work, [1])
    helpers.rest()
    helpers.close()
    helpers.start(work, [0])
    helpers.finish()
    assert sorted(done) == [0, 0, 0, 1, 1, 1]
