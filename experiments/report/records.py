"""What the parts of a demo leave behind for its report, as they must be to be shown."""

from typing import Annotated, Any

from pydantic import Field

from simworld.reading import Record

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Curve = Field(min_length=1)


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
    """The mean loss over an epoch, and that of the steps held out: a tenth, of scenes of their own."""

    epoch: Count
    loss: float
    held_out: float | None = None


class CloningRecord(Record):
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


class MinariMetadata(Record):
    """What Minari itself says of a dataset."""

    total_episodes: Count
    total_steps: Count


class CommandRecord(Record):
    """A part of the demo and the command line that repeats it."""

    part: str
    command: str


class Demo(Record):
    """How the demo ran: its commands, the seconds of each part and in all, and on what."""

    commands: tuple[CommandRecord, ...] = ()
    seconds: dict[str, float] = {}
    total_seconds: float
    machine: dict[str, Any] = {}
    versions: dict[str, str] = {}


Side = Annotated[int, Field(ge=1, le=8192)]


class CocoImage(Record):
    """An image, its files and the drawn parameters."""

    id: int
    width: Side
    height: Side
    file_name: str
    depth_file: str
    segmentation_file: str


class CocoMask(Record):
    """A mask in COCO's run-length encoding; `size` is (height, width)."""

    size: tuple[Side, Side]
    counts: str


class CocoAnnotation(Record):
    """What is on an image."""

    image_id: int
    category_id: int
    instance_id: Count
    bbox: tuple[float, float, float, float]
    segmentation: CocoMask


class ShownLabel(Record):
    """The label of an image of a dataset, as far as it is shown."""

    image: CocoImage
    annotations: tuple[CocoAnnotation, ...]
