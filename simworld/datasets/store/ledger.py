"""`.written`: what was ever meant to be in a folder that is not finished, a line of JSON for each file."""

import errno
import json
import os
from collections import defaultdict
from pathlib import Path

from simworld.datasets.store.fingerprint import Fingerprint
from simworld.errors import DatasetError
from simworld.reading import mended, open_own, open_regular

LEDGER = ".written"


class Ledger:
    """The ledger of a folder; a line is written before its file appears."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LEDGER

    def read(self) -> dict[str, set[Fingerprint]]:
        """The fingerprints that each file may have; of one that is written again, those from before as well."""
        found: dict[str, set[Fingerprint]] = defaultdict(set)
        try:
            with open_regular(self._path) as file:
                # A kill may have left a part of the last line.
                lines = [line for line in file if line.endswith(b"\n")]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise DatasetError(f"cannot read {self._path}: {error.strerror or error}") from None
        for line in lines:
            try:
                name, size, sha256 = json.loads(line)
                found[name].add(Fingerprint(size=size, sha256=sha256))
            except (ValueError, TypeError, RecursionError):
                raise DatasetError(f"{self._path} is broken: remove it, and files are taken as they are") from None
        return dict(found)

    def add(self, name: str, fingerprint: Fingerprint, durable: bool) -> None:
        """Write a line, which outlasts a loss of power if it is `durable`; a full disk takes all of it or nothing."""
        line = json.dumps([name, fingerprint.size, fingerprint.sha256]).encode() + b"\n"
        with open_own(self._path) as file:
            if end := file.seek(0, os.SEEK_END):
                file.seek(end - 1)
                end = end if file.read(1) == b"\n" else len(mended(file))
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
                if durable:
                    os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise

    def remove(self) -> None:
        """Take it away: there is a manifest."""
        self._path.unlink(missing_ok=True)
