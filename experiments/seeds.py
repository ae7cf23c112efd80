"""Seeds of data for which none is given: their own for each request."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from simworld.writing import to_json

FIRST = 2**30
"""The least of them: others begin at 0 (`evaluate`), 1,000,000 (tests while training) and 2,000,000 (training)."""


def data_seed(kind: str, count: int, request: Mapping[str, Any]) -> int:
    """The root seed, from FIRST to 2 * FIRST - 1, of so much data of a kind, by the digest of the request, JSON data.

    Equal requests have the same one, so that what was stopped goes on; requests that differ in anything share no scene.
    """
    text = json.dumps(json.loads(to_json({"kind": kind, "count": count, **request})), sort_keys=True)
    return FIRST + int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) % FIRST
