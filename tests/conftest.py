"""Tests see no objects or robots of the user's own."""

import atexit
import os
import shutil
import tempfile

_EMPTY = tempfile.mkdtemp(prefix="simworld-assets-")
atexit.register(shutil.rmtree, _EMPTY, ignore_errors=True)
os.environ["SIMWORLD_ASSETS"] = _EMPTY
