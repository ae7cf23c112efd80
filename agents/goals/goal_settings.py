"""How goals are learnt: the settings."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from simworld.agents.learning.training_seeds import MOST_SEED, SEEDS_EACH
from simworld.agents.settings import Hidden, Largest, Layers, LearningRate, Real, RootSeed, Settings, Whole
from simworld.envs.options import Randomized
from simworld.errors import ConfigurationError
from simworld.randomization.presets import NONE


def _as_several(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Worlds = Annotated[tuple[Randomized, ...], BeforeValidator(_as_several), Field(min_length=1)]
Share = Annotated[Real, Field(ge=0, le=1)]


class GoalSettings(Settings):
    """How long is learnt, and how: DDPG (Lillicrap et al. 2016) in hindsight (Andrychowicz et al. 2017).

    `steps` are those of all `envs` together; after every `chunk` of steps in each there are `updates` for each step,
    of `batch_size` steps of the latest `buffer_size`, at a `learning_rate` that goes to the last one in equal parts
    where there is a `last_learning_rate`. Actions are as large as `largest`, and large ones cost `penalty`; target
    networks follow by `tau`. Of what is played, `epsilon` of the actions are drawn at random and the others have
    `noise`; with `quiet` the first environment of a process has none of both, and of n more the k-th (k / n)^`quiet`
    (as Horgan et al. 2018 have each explore in its own way). The share `restarts` of episodes, and in the end
    `last_restarts`, goes on from where something was first held in one before, or up to `early` steps before that, so
    that it is often about to be held (as Florensa et al. 2017 begin near the goal); in a task that has nothing held
    but a place for something, from where that was first moved. After the first of each environment, episodes are of
    the nominal world, or of those that are `easier`, one after the other, and fewer and fewer begin in them until the
    part `nominal` of the steps is done. With `play_steps` they are as long at most. Of a goal that is a place and a
    fact, in the share `place_only` the place alone is wanted, which is reached long before all of it is. At first that
    is always one where the thing was in an episode before, as what was achieved is set for goals by Nair et al. 2018,
    and it ends the episode; until the part `elsewhere` of the steps is done, that is so less and less often.
    `hindsight` is the share of goals that were achieved later. Of what is learnt from, the share `demonstrated` was
    shown, where there are demonstrations. With `foresight` values begin as those of going straight to the goal, if
    that is one place and each step costs the most that one can. What is learnt has the mean of the weights over about
    `averaged` steps. Of several `critics` the least hopeful counts, and of what is done next one of normal deviation
    `smoothing`; the actor learns at one of `actor_every` updates, and with the weight `imitated` from what was done
    where that led to what is wanted, if it is worth no less (as Nair et al. 2018 do from demonstrations). Every
    `evaluate_every` steps it is tested, in `evaluation_episodes`, and what does as well as the best so far in
    `confirming_episodes` more. Until the part `coarse` of the steps is done, what is played has coarse contacts, which
    take half the time; then episodes are left off for ones with those of the environment, which what is tested always
    has. An episode of play ends with a failure of its task, which is taken for final.
    """

    algorithm: ClassVar[str] = "ddpg"
    """What it is called where it is asked for."""

    steps: Annotated[Whole, Field(ge=1)] = 600_000
    envs: Annotated[Whole, Field(ge=1, le=SEEDS_EACH)] = 16
    chunk: Annotated[Whole, Field(ge=1)] = 20
    updates: Annotated[Real, Field(gt=0, le=16)] = 0.1
    batch_size: Annotated[Whole, Field(ge=2)] = 128
    buffer_size: Annotated[Whole, Field(ge=1000, le=10_000_000)] = 500_000
    hidden: Hidden = 256
    layers: Layers = 3
    learning_rate: LearningRate = 1e-3
    last_learning_rate: LearningRate | None = None
    discount: Annotated[Real, Field(ge=0, lt=1)] = 0.98
    tau: Annotated[Real, Field(gt=0, le=1)] = 0.005
    largest: Largest = 1.0
    penalty: Annotated[Real, Field(ge=0)] = 0.2
    epsilon: Share = 0.3
    noise: Annotated[Real, Field(ge=0)] = 0.2
    restarts: Share = 0.5
    last_restarts: Share = 0.2
    early: Annotated[Whole, Field(ge=0, le=10_000)] = 0
    nominal: Share = 0.5
    easier: Worlds = (NONE,)
    play_steps: Annotated[Whole, Field(ge=1)] | None = None
    place_only: Share = 0.5
    elsewhere: Share = 0.5
    hindsight: Share = 0.8
    demonstrated: Share = 0.5
    foresight: bool = True
    averaged: Annotated[Whole, Field(ge=1)] = 20_000
    critics: Annotated[Whole, Field(ge=1, le=10)] = 1
    smoothing: Annotated[Real, Field(ge=0, le=1)] = 0.0
    imitated: Annotated[Real, Field(ge=0)] = 0.0
    quiet: Annotated[Real, Field(ge=0)] = 0.0
    actor_every: Annotated[Whole, Field(ge=1)] = 2
    coarse: Share = 0.5
    evaluate_every: Annotated[Whole, Field(ge=1)] = 50_000
    evaluation_episodes: Annotated[Whole, Field(ge=1)] = 50
    confirming_episodes: Annotated[Whole, Field(ge=0, le=10_000)] = 0
    seed: Annotated[RootSeed, Field(le=MOST_SEED)] = 0

    @model_validator(mode="after")
    def _some_updates(self) -> Self:
        if self.updates * self.chunk * self.envs < 1:
            raise ConfigurationError(
                f"updates: must be at least one after a chunk of {self.chunk * self.envs} steps, got {self.updates}"
            )
        return self


class TwinSettings(GoalSettings):
    """The same with what TD3 adds to DDPG (Fujimoto et al. 2018): values are hoped for less."""

    algorithm: ClassVar[str] = "td3"

    critics: Annotated[Whole, Field(ge=1, le=10)] = 2
    smoothing: Annotated[Real, Field(ge=0, le=1)] = 0.2
