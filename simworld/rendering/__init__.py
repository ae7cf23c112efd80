"""From (Scene, SceneState, Camera) to a Frame."""

from simworld.errors import ConfigurationError
from simworld.rendering.frame import Frame, Renderer

RENDERERS = ("raster", "tiny", "mitsuba")
"""The fast rasterizer, which is the default; PyBullet's TinyRenderer, which is independent of it; a path tracer."""


def make_renderer(name: str) -> Renderer:
    """A renderer by name; an unknown one raises ConfigurationError."""
    if name == "raster":
        from simworld.rendering.raster.raster import RasterRenderer

        return RasterRenderer()
    if name == "tiny":
        from simworld.rendering.adapters.tiny import TinyRenderer

        return TinyRenderer()
    if name == "mitsuba":
        from simworld.rendering.adapters.mitsuba import MitsubaRenderer

        return MitsubaRenderer()
    raise ConfigurationError(f"renderer: must be one of {list(RENDERERS)}, got {name!r}")


__all__ = ["RENDERERS", "Frame", "Renderer", "make_renderer"]
