"""Registers the environments with Gymnasium; imported by `simworld` itself, so it stays light."""

from gymnasium.envs.registration import register

ENV_IDS = {
    "simworld/Reach-v0": ("reach", 50),
    "simworld/PickAndPlace-v0": ("pick_and_place", 75),
    "simworld/PlaceInBox-v0": ("place_in_box", 100),
}
"""Environment ids, each with its task and the steps of an episode."""

for _id, (_task, _steps) in ENV_IDS.items():
    register(id=_id, entry_point=f"simworld.envs.env:{_task}", max_episode_steps=_steps)
