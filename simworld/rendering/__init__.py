"""From (Scene, SceneState, Camera) to a Frame."""

import importlib
import pkgutil

from simworld.errors import ConfigurationError, nearest
from simworld.rendering import renderers
from simworld.rendering.frame import Renderer

RENDERERS: tuple[str, ...] = tuple(
    sorted((module.name for module in pkgutil.iter_modules(renderers.__path__)), key=lambda name: name != "raster")
)
"""Each a file in `renderers`: the fast rasterizer, a path tracer, and PyBullet's, which is independent of ours."""


def renderer_class(name: str) -> type[Renderer]:
    """The class of a renderer; an unknown one raises ConfigurationError."""
    if name not in RENDERERS:
        raise ConfigurationError(f"renderer: must be one of {list(RENDERERS)}, got {name!r}{nearest(name, RENDERERS)}")
    found: type[Renderer] = importlib.import_module(f"{renderers.__name__}.{name}").RENDERER
    return found


def make_renderer(name: str) -> Renderer:
    """A renderer by name; an unknown one raises ConfigurationError."""
    return renderer_class(name)()


__all__ = ["RENDERERS", "make_renderer", "renderer_class"]
