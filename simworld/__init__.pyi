"""What type checkers see of the public surface."""

from simworld.agents.collect import collect_episode as collect_episode
from simworld.agents.evaluation.evaluation import (
    EpisodeResult as EpisodeResult,
    Evaluation as Evaluation,
    evaluate as evaluate,
)
from simworld.agents.experts import expert as expert
from simworld.agents.goals.goal_learning import learn_goals as learn_goals
from simworld.agents.goals.goal_settings import GoalSettings as GoalSettings
from simworld.agents.imitation.cloning import CloningSettings as CloningSettings, clone as clone
from simworld.agents.imitation.demonstrations import transitions as transitions
from simworld.agents.networks.network import Architecture as Architecture, NetworkPolicy as NetworkPolicy
from simworld.agents.policy import Policy as Policy, RandomPolicy as RandomPolicy, load_policy as load_policy
from simworld.agents.reinforcement.baselines_vector import BaselinesVectorEnv as BaselinesVectorEnv
from simworld.agents.reinforcement.curricula import (
    CurriculumCallback as CurriculumCallback,
    CurriculumEnv as CurriculumEnv,
    ScheduleCallback as ScheduleCallback,
)
from simworld.agents.reinforcement.training import (
    ReinforcementSettings as ReinforcementSettings,
    reinforce as reinforce,
)
from simworld.annotation.draw import (
    colorize_depth as colorize_depth,
    colorize_segmentation as colorize_segmentation,
    draw as draw,
    instance_color as instance_color,
)
from simworld.annotation.labels import (
    InstanceLabel as InstanceLabel,
    Labels as Labels,
    annotate as annotate,
    project as project,
)
from simworld.assets.catalogue import kinds as kinds, meshes as meshes, tags as tags
from simworld.assets.index import MeshAsset as MeshAsset
from simworld.assets.robot import RobotModel as RobotModel
from simworld.assets.robot_search import find_robot as find_robot, robot_names as robot_names
from simworld.building.camera_place import FRONT as FRONT, CameraPlace as CameraPlace
from simworld.building.entities.arm import Arm as Arm
from simworld.building.entities.backdrop import Backdrop as Backdrop
from simworld.building.entities.bins import Bin as Bin
from simworld.building.entities.cameras import CameraRig as CameraRig
from simworld.building.entities.cloth import Cloth as Cloth
from simworld.building.entities.conditions import Conditions as Conditions
from simworld.building.entities.entity import Entity as Entity
from simworld.building.entities.floor import Floor as Floor
from simworld.building.entities.goal import GoalPlace as GoalPlace
from simworld.building.entities.goal_turn import GoalTurn as GoalTurn
from simworld.building.entities.interior import Interior as Interior
from simworld.building.entities.lamps import Lamps as Lamps
from simworld.building.entities.props import Prop as Prop, Props as Props
from simworld.building.entities.sensors import Sensors as Sensors
from simworld.building.entities.sockets import Socket as Socket
from simworld.building.entities.table import Table as Table
from simworld.building.entities.words import Words as Words
from simworld.building.factor import Factor as Factor
from simworld.building.space import FactorSpace as FactorSpace
from simworld.building.spec import SceneSpec as SceneSpec
from simworld.datasets.formats.minari import export_minari as export_minari
from simworld.datasets.labelled import LabelledImage as LabelledImage, Moment as Moment, photograph as photograph
from simworld.datasets.sample import SampleId as SampleId
from simworld.datasets.splits import split_episodes as split_episodes, split_images as split_images
from simworld.datasets.store.episode import Episode as Episode
from simworld.datasets.store.episode_reading import EpisodeReader as EpisodeReader, read_episodes as read_episodes
from simworld.datasets.store.episodes import write_episodes as write_episodes
from simworld.datasets.store.folder import OutputFolder as OutputFolder
from simworld.datasets.store.image_index import find_label as find_label, read_index as read_index
from simworld.datasets.store.images import write_images as write_images
from simworld.datasets.store.label_stream import ImagesRequest as ImagesRequest, read_labels as read_labels
from simworld.datasets.store.pictures import decode_depth as decode_depth
from simworld.datasets.store.request import read_request as read_request
from simworld.datasets.store.verify import content_digest as content_digest, verify as verify
from simworld.datasets.video import write_video as write_video
from simworld.distributions.choices import Choice as Choice, Tagged as Tagged
from simworld.distributions.compounds import HSV as HSV, Correlated as Correlated, Mixture as Mixture, Paired as Paired
from simworld.distributions.dealt import Dealt as Dealt
from simworld.distributions.expressions import Constant as Constant, Distribution as Distribution
from simworld.distributions.geometric import (
    InBox as InBox,
    InDisc as InDisc,
    InFrustum as InFrustum,
    OnSurface as OnSurface,
    Rotation as Rotation,
    RotationAbout as RotationAbout,
)
from simworld.distributions.text import parse as parse
from simworld.distributions.univariate import (
    Integers as Integers,
    LogUniform as LogUniform,
    Normal as Normal,
    TruncatedNormal as TruncatedNormal,
    Uniform as Uniform,
)
from simworld.engines.engine import Engine as Engine, make_engine as make_engine
from simworld.engines.job import (
    JobResult as JobResult,
    ShardJob as ShardJob,
    Storage as Storage,
    find_function as find_function,
    function_of as function_of,
    register_job as register_job,
)
from simworld.envs import terms as terms
from simworld.envs.config import EnvConfig as EnvConfig
from simworld.envs.fields import Field as Field, Noise as Noise
from simworld.envs.making import make as make
from simworld.envs.process_vector import ProcessVectorEnv as ProcessVectorEnv
from simworld.envs.record_episode import RecordEpisode as RecordEpisode
from simworld.envs.registration import register as register, registered_tasks as registered_tasks
from simworld.envs.snapshot import Snapshot as Snapshot
from simworld.envs.task import Task as Task
from simworld.errors import (
    ConfigurationError as ConfigurationError,
    DatasetError as DatasetError,
    DrawError as DrawError,
    MissingExtraError as MissingExtraError,
    RenderError as RenderError,
    SimworldError as SimworldError,
    TrainingError as TrainingError,
    UnknownOptionError as UnknownOptionError,
    WorkerError as WorkerError,
)
from simworld.experiments.recipes.labelled_images import write_labelled_images as write_labelled_images
from simworld.experiments.recipes.replayed_images import write_replayed_images as write_replayed_images
from simworld.experiments.recipes.rollouts import export_rollouts as export_rollouts, write_rollouts as write_rollouts
from simworld.physics.control.command import Command as Command
from simworld.physics.control.control import Control as Control, Controller as Controller
from simworld.physics.controllers import make_control as make_control, make_controller as make_controller
from simworld.physics.kinematics import Kinematics as Kinematics
from simworld.physics.settle import sample_settled as sample_settled
from simworld.physics.timing import Timing as Timing
from simworld.physics.world import World as World
from simworld.randomization.curriculum import (
    AutomaticRandomization as AutomaticRandomization,
    Schedule as Schedule,
    Span as Span,
)
from simworld.randomization.files import (
    load_randomization as load_randomization,
    save_randomization as save_randomization,
)
from simworld.randomization.presets import (
    DEFAULT as DEFAULT,
    DYNAMICS as DYNAMICS,
    EXTREME as EXTREME,
    FULL as FULL,
    NONE as NONE,
    PRESETS as PRESETS,
    VISUAL as VISUAL,
    as_randomization as as_randomization,
    protocols as protocols,
)
from simworld.randomization.quotas.quota import Quota as Quota, read_quotas as read_quotas
from simworld.randomization.quotas.tally import QuotaError as QuotaError
from simworld.randomization.randomization import Randomization as Randomization
from simworld.randomization.sampling import Sample as Sample, check_scenes as check_scenes, sample_scene as sample_scene
from simworld.rendering import make_renderer as make_renderer
from simworld.rendering.frame import CHANNELS as CHANNELS, Frame as Frame, Renderer as Renderer
from simworld.rendering.raster.canvas import Shot as Shot
from simworld.rendering.renderers.raster import RasterRenderer as RasterRenderer
from simworld.rendering.seen import check_seen as check_seen
from simworld.rendering.sensor.sense import sense as sense
from simworld.rendering.textures.pyramid import textures_in as textures_in
from simworld.scene.camera import Camera as Camera, framed as framed
from simworld.scene.light import (
    Background as Background,
    DirectionalLight as DirectionalLight,
    GradientBackground as GradientBackground,
    Light as Light,
    PanoramaBackground as PanoramaBackground,
    PointLight as PointLight,
    SolidBackground as SolidBackground,
    SpotLight as SpotLight,
    TextureBackground as TextureBackground,
)
from simworld.scene.material import (
    ImageTexture as ImageTexture,
    Material as Material,
    ProceduralTexture as ProceduralTexture,
    Texture as Texture,
)
from simworld.scene.model import (
    Body as Body,
    Box as Box,
    Cylinder as Cylinder,
    Mesh as Mesh,
    Part as Part,
    Robot as Robot,
    Scene as Scene,
    Scenery as Scenery,
    Shape as Shape,
    Sphere as Sphere,
)
from simworld.scene.sensor import ColorSensor as ColorSensor, DepthSensor as DepthSensor, Sensor as Sensor
from simworld.scene.state import Contact as Contact, SceneState as SceneState
from simworld.streams import Streams as Streams

__version__: str
_HOME_OF: dict[str, str]
__all__: list[str]
