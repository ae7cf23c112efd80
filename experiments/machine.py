"""What a result was made on: the machine, and the versions of what made it."""

import os
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from simworld import __version__
from simworld.cores import usable_cores

_GIB = 2**30


def machine_description() -> dict[str, Any]:
    """Processor, cores this process may use, memory in GiB, Python and operating system, as JSON data."""
    return {
        "cpu": _cpu(),
        "cores": usable_cores(),
        "memory_gib": _memory(),
        "python": platform.python_version(),
        "os": _system(),
    }


def versions() -> dict[str, str]:
    """Versions of simworld and of the packages it depends on, by name."""
    found = {"simworld": __version__}
    for name in _dependencies():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


_OURS = re.compile(r"extra == .(dev|bench)\b")
"""Of requirements: those of who works on simworld."""


def _dependencies() -> list[str]:
    """Names of the direct dependencies, also those of what users ask for; none where simworld runs uninstalled."""
    try:
        required = metadata.requires("simworld") or []
    except metadata.PackageNotFoundError:
        return []
    names = (re.match(r"[\w.-]+", line) for line in required if not _OURS.search(line))
    return sorted({name.group() for name in names if name} - {"simworld"})


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    # Other architectures than x86 have no such line.
    named = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    return named.group(1).strip() if named else platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1)
    except (AttributeError, OSError, ValueError):
        return None


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.platform(terse=True)
    return f"{name}, {platform.machine()}"
