"""What is known of a model's errors by factor, as it is kept beside images and in the models that learn from them."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field

from simworld.datasets.store.label_stream import KIND, ImagesRequest
from simworld.datasets.store.request import read_request
from simworld.randomization.files import as_yaml
from simworld.reading import Record, read_json
from simworld.writing import to_json

FOCUS, DRAWN = "focus.json", "focus.yaml"

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class FocusCell(Record):
    """A cell of a factor: in how many images it was seen, the error with its 95% interval, and its share of draws."""

    cell: str
    images: Count
    error: Share
    interval: tuple[Share, Share]
    before: Share
    now: Share


class FocusFactor(Record):
    """A factor: whether it is `focused` on, `p` after correction, and by how much less all things may be wrong."""

    factor: str
    focused: bool
    p: Share
    gain: Share
    cells: tuple[FocusCell, ...]

    @property
    def worse(self) -> dict[str, float]:
        """The cells that are drawn more often, with their shares before."""
        return {cell.cell: cell.before for cell in self.cells if cell.now > cell.before}

    def error_in(self, shares: dict[str, float]) -> float:
        """The error in cells of which these are the shares; of those alone that there are."""
        known = [(shares[cell.cell], cell.error) for cell in self.cells if cell.cell in shares]
        return sum(share * error for share, error in known) / max(sum(share for share, _ in known), 1e-12)


class Focus(Record):
    """The errors of a model on images of their own, all factors from the likeliest to matter on, and what to draw."""

    images: Count
    things: Count
    error: Share
    factors: tuple[FocusFactor, ...]
    randomization: dict[str, Any]

    @property
    def focused(self) -> tuple[FocusFactor, ...]:
        """The factors that are drawn otherwise than before."""
        return tuple(factor for factor in self.factors if factor.focused)


class MeasuredFocus(Focus):
    """A focus, and what was `asked`: the request that it was measured for, and the digest of the model, as JSON data.

    It is kept as `focus.json` beside the images that are drawn so, and what is drawn as `focus.yaml`.
    """

    asked: dict[str, Any]

    def files(self) -> dict[str, bytes]:
        """The files that are kept, by name."""
        return {FOCUS: to_json(self.model_dump(mode="json")), DRAWN: as_yaml(self.randomization)}

    @property
    def scenes(self) -> str:
        """A digest of the request that the model and the number of images do not change."""
        same = {name: value for name, value in self.asked.items() if name not in ("model_sha256", "images")}
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


class FocusRound(Record):
    """What a model remembers of images that it learnt from, which were drawn for another: how many, for which factors.

    `scenes` is that of the focus.
    """

    images: Count
    scenes: str
    factors: tuple[FocusFactor, ...]

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """That of a folder of images; None where they were drawn for no model."""
        if not (folder / FOCUS).exists():
            return None
        focus, request = read_json(folder / FOCUS, MeasuredFocus), read_request(folder, KIND, ImagesRequest)
        return cls(images=request.count, scenes=focus.scenes, factors=focus.focused)

    def told(self, focus: MeasuredFocus) -> list[str]:
        """How the errors have changed since, where they were drawn more often: a line for each factor."""
        now = {factor.factor: factor for factor in focus.factors} if focus.scenes == self.scenes else {}
        lines = []
        for then in self.factors:
            if then.factor in now:
                before, after = (each.error_in(then.worse) for each in (then, now[then.factor]))
                lines.append(
                    f"{then.factor} in {', '.join(then.worse)}: from {before:.1%} to {after:.1%}, "
                    f"{100 * (before - after):.1f} points for {self.images} images"
                )
        return lines
