"""The factors of the shipped tasks, all of them together."""

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec

SPEC = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))
FACTORS = SPEC.space
FAMILIES, NOMINAL = FACTORS.families, FACTORS.nominal
starred, family_of, check_value, described = FACTORS.starred, FACTORS.family_of, FACTORS.check_value, FACTORS.described
