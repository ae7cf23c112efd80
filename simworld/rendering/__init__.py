"""From (Scene, SceneState, Camera) to a Frame."""

from simworld.rendering.frame import Frame, Renderer

__all__ = ["Frame", "Renderer"]
