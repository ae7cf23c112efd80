"""What the parts of a demo leave behind for its report, as they must be to be shown."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simworld.datasets.folder import read_json
from simworld.errors import DatasetError
from simworld.scene.plain import describe

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Curve = Field(min_length=1)


class Record(BaseModel):
    """A JSON file; what it holds beyond the fields is not read."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class ReinforcementPoint(Record):
    """The test during training after `step` environment steps."""

    step: Count
    success: Fraction
    gain: float = Field(alias="return")


class Reinforcement(Record):
    """`training.json` of an agent that learnt from reward."""

    algorithm: str
    steps: Count
    seconds: float
    curve: tuple[ReinforcementPoint, ...] = Curve
    settings: dict[str, Any] = {}


class CloningPoint(Record):
    """The mean loss over an epoch, and that of the transitions held out: every tenth."""

    epoch: Count
    loss: float
    held_out: float | None = None


class Cloning(Record):
    """`training.json` of an agent that learnt from demonstrations."""

    demonstrations: Count
    transitions: Count
    seconds: float
    curve: tuple[CloningPoint, ...] = Curve
    settings: dict[str, Any] = {}


class EvaluationRecord(Record):
    """The summary of an evaluation; `interval` is the Wilson 95% interval of the success rate."""

    name: str = ""
    env_id: str
    randomization: str = ""
    policy: str
    first_seed: int
    episodes: Annotated[int, Field(ge=1)]
    successes: Count
    interval: tuple[Fraction, Fraction]
    mean_length: float
    failures: dict[str, int] = {}


class Rollouts(Record):
    """What the rollout dataset holds."""

    dataset_id: str
    episodes: Count
    steps: Count


class Command(Record):
    """A part of the demo and the command line that repeats it."""

    part: str
    command: str


class Demo(Record):
    """How the demo ran: its commands, the seconds of each part and in all, and on what."""

    commands: tuple[Command, ...] = ()
    seconds: dict[str, float] = {}
    total_seconds: float
    machine: dict[str, Any] = {}
    versions: dict[str, str] = {}


Kind = TypeVar("Kind", bound=Record)


def read_record(path: Path, kind: type[Kind]) -> Kind:
    """Read a record. A malformed one raises DatasetError with the key, the rule and the value it got."""
    content = read_json(path)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise DatasetError(f"{path.name}: {describe(error)}") from None
