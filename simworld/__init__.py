"""simworld: a robot that puts things in a box, simulated, randomized, rendered and labelled.

`import simworld as sw` is all of it that one may build on: the names of `__all__`, which docs/api.md describes. Each is
imported when it is first asked for.
"""

from simworld.envs.registration import ENV_IDS

TYPE_CHECKING = False  # as in `typing`, which takes a while to import
if TYPE_CHECKING:
    from simworld.agents.collect import collect_episode
    from simworld.agents.evaluation import EpisodeResult, Evaluation, evaluate
    from simworld.agents.experts import expert
    from simworld.agents.imitation.cloning import CloningSettings, clone
    from simworld.agents.imitation.demonstrations import transitions
    from simworld.agents.network import Architecture, NetworkPolicy
    from simworld.agents.policy import Policy, RandomPolicy, load_policy
    from simworld.agents.reinforcement.curricula import CurriculumCallback, CurriculumEnv, ScheduleCallback
    from simworld.agents.reinforcement.training import ReinforcementSettings, reinforce
    from simworld.annotation.draw import colorize_depth, colorize_segmentation, draw, instance_color
    from simworld.annotation.labels import InstanceLabel, Labels, annotate, project
    from simworld.datasets.formats.minari import export_minari
    from simworld.datasets.labelled import LabelledImage, Moment, photograph
    from simworld.datasets.sample import SampleId
    from simworld.datasets.splits import split_episodes, split_images
    from simworld.datasets.store.episode import Episode
    from simworld.datasets.store.episodes import read_episodes, write_episodes
    from simworld.datasets.store.images import write_images
    from simworld.datasets.store.index import find_label, read_index
    from simworld.datasets.store.label_stream import read_labels
    from simworld.datasets.store.pictures import decode_depth
    from simworld.datasets.store.verify import verify
    from simworld.distributions.choices import Choice, Tagged
    from simworld.distributions.compounds import HSV, Correlated, Mixture, Paired
    from simworld.distributions.expressions import Constant, Distribution
    from simworld.distributions.geometric import InBox, InDisc, InFrustum, OnSurface, Rotation, RotationAbout
    from simworld.distributions.text import parse
    from simworld.distributions.univariate import Integers, LogUniform, Normal, TruncatedNormal, Uniform
    from simworld.engines.engine import make_engine
    from simworld.errors import (
        ConfigurationError,
        DatasetError,
        DrawError,
        MissingExtraError,
        RenderError,
        SimworldError,
        TrainingError,
        UnknownOptionError,
    )
    from simworld.experiments.recipes.labelled import write_labelled_images
    from simworld.experiments.recipes.rollouts import export_rollouts, write_rollouts
    from simworld.physics.world import World
    from simworld.randomization.curriculum import AutomaticRandomization, Schedule, Span
    from simworld.randomization.files import load_randomization, save_randomization
    from simworld.randomization.presets import (
        DEFAULT,
        DYNAMICS,
        EXTREME,
        FULL,
        NONE,
        PRESETS,
        VISUAL,
        as_randomization,
        protocols,
    )
    from simworld.randomization.quotas.quota import Quota, read_quotas
    from simworld.randomization.randomization import Randomization
    from simworld.randomization.sampling import Sample, check_scenes, sample_scene
    from simworld.rendering import make_renderer
    from simworld.rendering.frame import CHANNELS, Frame, Renderer
    from simworld.rendering.raster.raster import RasterRenderer, Shot
    from simworld.rendering.seen import check_seen
    from simworld.rendering.sensor.sense import sense
    from simworld.rendering.textures.pyramid import textures_in
    from simworld.scene.camera import Camera, framed
    from simworld.scene.light import (
        Background,
        DirectionalLight,
        GradientBackground,
        Light,
        PointLight,
        SolidBackground,
        SpotLight,
        TextureBackground,
    )
    from simworld.scene.material import ImageTexture, Material, ProceduralTexture, Texture
    from simworld.scene.model import Body, Box, Cylinder, Mesh, Part, Robot, Scene, Shape, Sphere
    from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor
    from simworld.scene.state import Contact, SceneState
    from simworld.streams import Streams

__version__ = "0.1.0"

_HOMES = {
    "simworld.agents.collect": ("collect_episode",),
    "simworld.agents.evaluation": (
        "evaluate",
        "Evaluation",
        "EpisodeResult",
    ),
    "simworld.agents.experts": ("expert",),
    "simworld.agents.imitation.cloning": (
        "clone",
        "CloningSettings",
    ),
    "simworld.agents.imitation.demonstrations": ("transitions",),
    "simworld.agents.network": (
        "NetworkPolicy",
        "Architecture",
    ),
    "simworld.agents.policy": (
        "Policy",
        "RandomPolicy",
        "load_policy",
    ),
    "simworld.agents.reinforcement.curricula": (
        "CurriculumEnv",
        "CurriculumCallback",
        "ScheduleCallback",
    ),
    "simworld.agents.reinforcement.training": (
        "reinforce",
        "ReinforcementSettings",
    ),
    "simworld.annotation.draw": (
        "draw",
        "colorize_depth",
        "colorize_segmentation",
        "instance_color",
    ),
    "simworld.annotation.labels": (
        "annotate",
        "Labels",
        "InstanceLabel",
        "project",
    ),
    "simworld.datasets.formats.minari": ("export_minari",),
    "simworld.datasets.labelled": (
        "LabelledImage",
        "Moment",
        "photograph",
    ),
    "simworld.datasets.sample": ("SampleId",),
    "simworld.datasets.splits": (
        "split_episodes",
        "split_images",
    ),
    "simworld.datasets.store.episode": ("Episode",),
    "simworld.datasets.store.episodes": (
        "read_episodes",
        "write_episodes",
    ),
    "simworld.datasets.store.images": ("write_images",),
    "simworld.datasets.store.index": (
        "read_index",
        "find_label",
    ),
    "simworld.datasets.store.label_stream": ("read_labels",),
    "simworld.datasets.store.pictures": ("decode_depth",),
    "simworld.datasets.store.verify": ("verify",),
    "simworld.engines.engine": ("make_engine",),
    "simworld.distributions.choices": (
        "Choice",
        "Tagged",
    ),
    "simworld.distributions.compounds": (
        "Mixture",
        "Paired",
        "Correlated",
        "HSV",
    ),
    "simworld.distributions.expressions": (
        "Distribution",
        "Constant",
    ),
    "simworld.distributions.geometric": (
        "InBox",
        "InDisc",
        "InFrustum",
        "OnSurface",
        "Rotation",
        "RotationAbout",
    ),
    "simworld.distributions.text": ("parse",),
    "simworld.distributions.univariate": (
        "Uniform",
        "LogUniform",
        "Normal",
        "TruncatedNormal",
        "Integers",
    ),
    "simworld.errors": (
        "SimworldError",
        "ConfigurationError",
        "UnknownOptionError",
        "DrawError",
        "DatasetError",
        "RenderError",
        "TrainingError",
        "MissingExtraError",
    ),
    "simworld.experiments.recipes.labelled": ("write_labelled_images",),
    "simworld.experiments.recipes.rollouts": (
        "write_rollouts",
        "export_rollouts",
    ),
    "simworld.physics.world": ("World",),
    "simworld.randomization.curriculum": (
        "AutomaticRandomization",
        "Schedule",
        "Span",
    ),
    "simworld.randomization.files": (
        "load_randomization",
        "save_randomization",
    ),
    "simworld.randomization.presets": (
        "PRESETS",
        "NONE",
        "DEFAULT",
        "VISUAL",
        "DYNAMICS",
        "FULL",
        "EXTREME",
        "as_randomization",
        "protocols",
    ),
    "simworld.randomization.quotas.quota": (
        "Quota",
        "read_quotas",
    ),
    "simworld.randomization.randomization": ("Randomization",),
    "simworld.randomization.sampling": (
        "Sample",
        "sample_scene",
        "check_scenes",
    ),
    "simworld.rendering": ("make_renderer",),
    "simworld.rendering.frame": (
        "CHANNELS",
        "Frame",
        "Renderer",
    ),
    "simworld.rendering.raster.raster": (
        "RasterRenderer",
        "Shot",
    ),
    "simworld.rendering.seen": ("check_seen",),
    "simworld.rendering.sensor.sense": ("sense",),
    "simworld.rendering.textures.pyramid": ("textures_in",),
    "simworld.scene.camera": (
        "Camera",
        "framed",
    ),
    "simworld.scene.light": (
        "Light",
        "DirectionalLight",
        "PointLight",
        "SpotLight",
        "Background",
        "SolidBackground",
        "GradientBackground",
        "TextureBackground",
    ),
    "simworld.scene.material": (
        "Material",
        "Texture",
        "ProceduralTexture",
        "ImageTexture",
    ),
    "simworld.scene.model": (
        "Scene",
        "Body",
        "Part",
        "Shape",
        "Box",
        "Cylinder",
        "Sphere",
        "Mesh",
        "Robot",
    ),
    "simworld.scene.sensor": (
        "Sensor",
        "ColorSensor",
        "DepthSensor",
    ),
    "simworld.scene.state": (
        "SceneState",
        "Contact",
    ),
    "simworld.streams": ("Streams",),
}
"""Where the names of the public surface are defined."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ENV_IDS",
    "Scene",
    "Body",
    "Part",
    "Shape",
    "Box",
    "Cylinder",
    "Sphere",
    "Mesh",
    "Robot",
    "Camera",
    "framed",
    "Material",
    "Texture",
    "ProceduralTexture",
    "ImageTexture",
    "Light",
    "DirectionalLight",
    "PointLight",
    "SpotLight",
    "Background",
    "SolidBackground",
    "GradientBackground",
    "TextureBackground",
    "Sensor",
    "ColorSensor",
    "DepthSensor",
    "SceneState",
    "Contact",
    "World",
    "Streams",
    "Randomization",
    "PRESETS",
    "NONE",
    "DEFAULT",
    "VISUAL",
    "DYNAMICS",
    "FULL",
    "EXTREME",
    "as_randomization",
    "protocols",
    "load_randomization",
    "save_randomization",
    "Sample",
    "sample_scene",
    "check_scenes",
    "check_seen",
    "AutomaticRandomization",
    "Schedule",
    "Span",
    "Quota",
    "read_quotas",
    "Distribution",
    "Constant",
    "Uniform",
    "LogUniform",
    "Normal",
    "TruncatedNormal",
    "Integers",
    "Choice",
    "Tagged",
    "Mixture",
    "Paired",
    "Correlated",
    "HSV",
    "InBox",
    "InDisc",
    "InFrustum",
    "OnSurface",
    "Rotation",
    "RotationAbout",
    "parse",
    "make_renderer",
    "CHANNELS",
    "Frame",
    "Renderer",
    "RasterRenderer",
    "Shot",
    "textures_in",
    "sense",
    "annotate",
    "Labels",
    "InstanceLabel",
    "project",
    "draw",
    "colorize_depth",
    "colorize_segmentation",
    "instance_color",
    "Episode",
    "read_episodes",
    "write_episodes",
    "write_images",
    "read_labels",
    "read_index",
    "find_label",
    "decode_depth",
    "verify",
    "LabelledImage",
    "Moment",
    "photograph",
    "SampleId",
    "split_episodes",
    "split_images",
    "export_minari",
    "make_engine",
    "write_rollouts",
    "export_rollouts",
    "write_labelled_images",
    "Policy",
    "RandomPolicy",
    "load_policy",
    "expert",
    "collect_episode",
    "evaluate",
    "Evaluation",
    "EpisodeResult",
    "NetworkPolicy",
    "Architecture",
    "clone",
    "CloningSettings",
    "transitions",
    "reinforce",
    "ReinforcementSettings",
    "CurriculumEnv",
    "CurriculumCallback",
    "ScheduleCallback",
    "SimworldError",
    "ConfigurationError",
    "UnknownOptionError",
    "DrawError",
    "DatasetError",
    "RenderError",
    "TrainingError",
    "MissingExtraError",
]


def __getattr__(name: str) -> object:
    """A name of the public surface, imported now."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'simworld' has no attribute {name!r}")
    from importlib import import_module

    from simworld.extras import extras

    with extras():
        globals()[name] = found = getattr(import_module(_HOME_OF[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
