"""Pictures of scene files."""

from contextlib import closing
from pathlib import Path

from simworld.annotation.draw import channel_picture
from simworld.datasets.store.pictures import encode_png
from simworld.errors import ConfigurationError
from simworld.rendering import make_renderer
from simworld.rendering.frame import WANT_NEXT
from simworld.scene.model import Scene
from simworld.writing import reporting, write_bytes


def render_scene(
    scene_file: Path,
    picture: Path,
    *,
    camera: str = "front",
    size: tuple[int, int] = (640, 480),
    renderer_name: str = "raster",
    channel: str = "rgb",
) -> None:
    """Render a channel of a scene file, such as `Scene.to_json` writes, before anything moves, as a .png picture."""
    from simworld.physics.world import World

    if picture.suffix != ".png":
        raise ConfigurationError(f"--out: must be a .png file, got {picture}")
    scene = Scene.load(scene_file)
    seen = scene.camera(camera).resized(*size)
    if channel in WANT_NEXT:
        raise ConfigurationError(f"--channel: {channel!r} is between two states, and a scene file has one state")
    with closing(make_renderer(renderer_name)) as renderer, World() as world:
        world.load(scene)
        frame = renderer.render(scene, world.state(), seen, (channel,))
    with reporting(picture):
        picture.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(picture, encode_png(channel_picture(frame, channel)))
