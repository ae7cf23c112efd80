"""The terms that tasks are made of; see docs/tasks.md."""

from simworld.envs.terms.above import above, prop_above
from simworld.envs.terms.bin_ import bin_
from simworld.envs.terms.efforts import efforts
from simworld.envs.terms.fact import Fact
from simworld.envs.terms.friction import friction
from simworld.envs.terms.goal import Goal
from simworld.envs.terms.grasped import grasped
from simworld.envs.terms.grip import grip
from simworld.envs.terms.inserted import inserted
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.joints import joints
from simworld.envs.terms.let_go import let_go
from simworld.envs.terms.near import near
from simworld.envs.terms.observed import Observed
from simworld.envs.terms.off_table import off_table
from simworld.envs.terms.order import before, out_of_order
from simworld.envs.terms.placed import inside, placed, resting
from simworld.envs.terms.prop import prop
from simworld.envs.terms.prop_at import prop_at
from simworld.envs.terms.prop_in import prop_in
from simworld.envs.terms.reached import reached
from simworld.envs.terms.rests_at import rests_at
from simworld.envs.terms.reward import Reward
from simworld.envs.terms.shortfall import dense, sparse
from simworld.envs.terms.socket import socket
from simworld.envs.terms.stacked import stacked
from simworld.envs.terms.staged import staged
from simworld.envs.terms.term import BinName, GoalName, PlaceName, PropName, SocketName, TurnName, term
from simworld.envs.terms.text import parse_term
from simworld.envs.terms.tool import tool
from simworld.envs.terms.tool_at import tool_at
from simworld.envs.terms.turned import turned

__all__ = [
    "BinName",
    "Fact",
    "Goal",
    "GoalName",
    "Instant",
    "Observed",
    "PlaceName",
    "PropName",
    "Reward",
    "above",
    "before",
    "SocketName",
    "TurnName",
    "bin_",
    "dense",
    "efforts",
    "friction",
    "grasped",
    "grip",
    "inside",
    "inserted",
    "joints",
    "let_go",
    "near",
    "off_table",
    "out_of_order",
    "parse_term",
    "placed",
    "prop",
    "prop_above",
    "prop_at",
    "prop_in",
    "reached",
    "resting",
    "rests_at",
    "socket",
    "sparse",
    "stacked",
    "staged",
    "term",
    "tool",
    "tool_at",
    "turned",
]
