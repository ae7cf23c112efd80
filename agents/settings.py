"""What settings are: frozen values, checked whole when they are made."""

from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from simworld.plain import Plain


def _as_plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


Whole = Annotated[int, Field(strict=True), BeforeValidator(_as_plain)]
Real = Annotated[float, Field(strict=True), BeforeValidator(_as_plain)]

Hidden = Annotated[Whole, Field(ge=1, le=1024)]
"""Units of each hidden layer."""
Layers = Annotated[Whole, Field(ge=1, le=8)]
"""Hidden layers."""
Largest = Annotated[Real, Field(gt=0, le=1)]
"""Of each number of an action, which may be 1."""
LearningRate = Annotated[Real, Field(gt=0, le=1)]
RootSeed = Annotated[Whole, Field(ge=0, le=2**31 - 1)]
"""As on the command line: what is added to it to keep seeds apart stays below 2**32, where NumPy's seeds end."""


class Settings(Plain):
    """Named settings; a wrong one raises ConfigurationError with the key, the rule and the value."""

    refused_as = ""
