"""What the preset `household` draws may be learnt from."""

from contextlib import closing

from simworld.assets.catalogue import mesh
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.scene.model import Mesh


def test_only_instances_of_the_train_part_are_drawn() -> None:
    with closing(ManipulationEnv(EnvConfig(task="place_in_box", randomization="household"))) as env:
        drawn = set()
        for seed in range(12):
            env.reset(seed=seed)
            shapes = [part.shape for body in env.sample.scene.bodies for part in body.parts]
            drawn |= {shape.name for shape in shapes if isinstance(shape, Mesh) and "#" in shape.name}
    assert len(drawn) > 20 and all(mesh(name).split == "train" for name in drawn)
