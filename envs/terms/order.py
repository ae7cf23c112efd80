"""The order in which things come into a container."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from simworld.envs.fields import Field
from simworld.envs.terms.fact import Fact, Told
from simworld.envs.terms.goal import Achieved, Goal
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.placed import inside
from simworld.envs.terms.term import BinName, PropName, term

if TYPE_CHECKING:
    from simworld.scene.model import Scene


@term
class before(Goal):
    """A thing does not come into a container before another one has been there.

    Goals are 1 while that is so, from then on 0.
    """

    first: PropName
    second: PropName
    container: BinName

    @property
    def field(self) -> Field:
        meaning = f"1 while the {self.second} has not come into the {self.container} before the {self.first}"
        return Field("goal", (0.0,), (1.0,), "", meaning, ())

    def begin(self, scene: "Scene") -> tuple[Sequence[float], Achieved]:
        kept = self._kept(scene)
        return [1.0], lambda now: [float(kept(now))]

    def _kept(self, scene: "Scene") -> Callable[[Instant], bool]:
        first, second = (inside(name, self.container).told(scene, self) for name in (self.first, self.second))
        has_been = is_broken = False

        def kept(now: Instant) -> bool:
            nonlocal has_been, is_broken
            has_been = has_been or first(now)
            is_broken = is_broken or (not has_been and second(now))
            return not is_broken

        return kept


@term
class out_of_order(Fact):
    """Some thing came into a container before one that was to be there first: a `before` of the goal is not kept."""

    def told(self, scene: "Scene", goal: Goal) -> Told:
        sizes = [part.field.size for part in goal.parts]
        places = [sum(sizes[:i]) for i, part in enumerate(goal.parts) if isinstance(part, before)]
        return lambda now: any(now.achieved[place] < now.desired[place] for place in places)
