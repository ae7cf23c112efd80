"""simworld: robots that put things in a box, simulated, randomized, rendered, labelled, and learnt from.

`import simworld as sw` is all of it that one may build on: the names of `__all__`, which docs/api.md describes. Each is
imported when it is first asked for; type checkers read `__init__.pyi`.
"""

from simworld.envs import registration as _registration  # noqa: F401 - Gymnasium shall know the environments

__version__ = "0.1.0"

_HOMES = {
    "simworld.agents.collect": "collect_episode",
    "simworld.agents.evaluation.evaluation": "EpisodeResult Evaluation evaluate",
    "simworld.agents.experts": "expert",
    "simworld.agents.imitation.cloning": "CloningSettings clone",
    "simworld.agents.imitation.demonstrations": "transitions",
    "simworld.agents.networks.network": "Architecture NetworkPolicy",
    "simworld.agents.policy": "Policy RandomPolicy load_policy",
    "simworld.agents.reinforcement.baselines_vector": "BaselinesVectorEnv",
    "simworld.agents.reinforcement.curricula": "CurriculumCallback CurriculumEnv ScheduleCallback",
    "simworld.agents.goals.goal_learning": "learn_goals",
    "simworld.agents.goals.goal_settings": "GoalSettings",
    "simworld.agents.reinforcement.training": "ReinforcementSettings reinforce",
    "simworld.annotation.draw": "colorize_depth colorize_segmentation draw instance_color",
    "simworld.annotation.labels": "InstanceLabel Labels annotate project",
    "simworld.assets.catalogue": "kinds meshes tags",
    "simworld.assets.index": "MeshAsset",
    "simworld.assets.robot": "RobotModel",
    "simworld.assets.robot_search": "find_robot robot_names",
    "simworld.building.camera_place": "CameraPlace FRONT",
    "simworld.building.entities.arm": "Arm",
    "simworld.building.entities.backdrop": "Backdrop",
    "simworld.building.entities.bins": "Bin",
    "simworld.building.entities.cameras": "CameraRig",
    "simworld.building.entities.cloth": "Cloth",
    "simworld.building.entities.conditions": "Conditions",
    "simworld.building.entities.entity": "Entity",
    "simworld.building.entities.floor": "Floor",
    "simworld.building.entities.goal": "GoalPlace",
    "simworld.building.entities.interior": "Interior",
    "simworld.building.entities.lamps": "Lamps",
    "simworld.building.entities.props": "Prop Props",
    "simworld.building.entities.sensors": "Sensors",
    "simworld.building.entities.sockets": "Socket",
    "simworld.building.entities.table": "Table",
    "simworld.building.entities.goal_turn": "GoalTurn",
    "simworld.building.entities.words": "Words",
    "simworld.building.factor": "Factor",
    "simworld.building.space": "FactorSpace",
    "simworld.building.spec": "SceneSpec",
    "simworld.datasets.formats.minari": "export_minari",
    "simworld.datasets.labelled": "LabelledImage Moment photograph",
    "simworld.datasets.sample": "SampleId",
    "simworld.datasets.splits": "split_episodes split_images",
    "simworld.datasets.store.episode": "Episode",
    "simworld.datasets.store.episode_reading": "EpisodeReader read_episodes",
    "simworld.datasets.store.episodes": "write_episodes",
    "simworld.datasets.store.folder": "OutputFolder",
    "simworld.datasets.store.images": "write_images",
    "simworld.datasets.store.image_index": "find_label read_index",
    "simworld.datasets.store.label_stream": "ImagesRequest read_labels",
    "simworld.datasets.store.pictures": "decode_depth",
    "simworld.datasets.store.request": "read_request",
    "simworld.datasets.store.verify": "content_digest verify",
    "simworld.datasets.video": "write_video",
    "simworld.distributions.choices": "Choice Tagged",
    "simworld.distributions.compounds": "Correlated HSV Mixture Paired",
    "simworld.distributions.dealt": "Dealt",
    "simworld.distributions.expressions": "Constant Distribution",
    "simworld.distributions.geometric": "InBox InDisc InFrustum OnSurface Rotation RotationAbout",
    "simworld.distributions.text": "parse",
    "simworld.distributions.univariate": "Integers LogUniform Normal TruncatedNormal Uniform",
    "simworld.engines.engine": "Engine make_engine",
    "simworld.engines.job": "JobResult ShardJob Storage find_function function_of register_job",
    "simworld.envs": "terms",
    "simworld.envs.config": "EnvConfig",
    "simworld.envs.fields": "Field Noise",
    "simworld.envs.making": "make",
    "simworld.envs.process_vector": "ProcessVectorEnv",
    "simworld.envs.record_episode": "RecordEpisode",
    "simworld.envs.registration": "register registered_tasks",
    "simworld.envs.snapshot": "Snapshot",
    "simworld.envs.task": "Task",
    "simworld.errors": (
        "ConfigurationError DatasetError DrawError MissingExtraError RenderError SimworldError TrainingError "
        "UnknownOptionError WorkerError"
    ),
    "simworld.experiments.recipes.labelled_images": "write_labelled_images",
    "simworld.experiments.recipes.replayed_images": "write_replayed_images",
    "simworld.experiments.recipes.rollouts": "export_rollouts write_rollouts",
    "simworld.physics.control.command": "Command",
    "simworld.physics.control.control": "Control Controller",
    "simworld.physics.controllers": "make_control make_controller",
    "simworld.physics.kinematics": "Kinematics",
    "simworld.physics.settle": "sample_settled",
    "simworld.physics.timing": "Timing",
    "simworld.physics.world": "World",
    "simworld.randomization.curriculum": "AutomaticRandomization Schedule Span",
    "simworld.randomization.files": "load_randomization save_randomization",
    "simworld.randomization.presets": "DEFAULT DYNAMICS EXTREME FULL NONE PRESETS VISUAL as_randomization protocols",
    "simworld.randomization.quotas.quota": "Quota read_quotas",
    "simworld.randomization.quotas.tally": "QuotaError",
    "simworld.randomization.randomization": "Randomization",
    "simworld.randomization.sampling": "Sample check_scenes sample_scene",
    "simworld.rendering": "make_renderer",
    "simworld.rendering.frame": "CHANNELS Frame Renderer",
    "simworld.rendering.raster.canvas": "Shot",
    "simworld.rendering.renderers.raster": "RasterRenderer",
    "simworld.rendering.seen": "check_seen",
    "simworld.rendering.sensor.sense": "sense",
    "simworld.rendering.textures.pyramid": "textures_in",
    "simworld.scene.camera": "Camera framed",
    "simworld.scene.light": (
        "Background DirectionalLight GradientBackground Light PanoramaBackground PointLight SolidBackground SpotLight "
        "TextureBackground"
    ),
    "simworld.scene.material": "ImageTexture Material ProceduralTexture Texture",
    "simworld.scene.model": "Body Box Cylinder Mesh Part Robot Scene Scenery Shape Sphere",
    "simworld.scene.sensor": "ColorSensor DepthSensor Sensor",
    "simworld.scene.state": "Contact SceneState",
    "simworld.streams": "Streams",
}
"""Where the names of the public surface are defined."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> object:
    """A name of the public surface, imported now."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'simworld' has no attribute {name!r}")
    from importlib import import_module

    from simworld.extras import extras

    with extras():
        home = import_module(_HOME_OF[name])
        found = getattr(home, name) if hasattr(home, name) else import_module(f"{home.__name__}.{name}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
