"""What was learnt here, whatever acts in it, from its file."""

from collections.abc import Mapping
from pathlib import Path

from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.networks.stored import read_stored
from simworld.agents.visuomotor.visuomotor_policy import VISUOMOTOR, VisuomotorPolicy


def load_learnt(path: Path) -> NetworkPolicy | VisuomotorPolicy:
    """The policy of a file; ConfigurationError if it is something else, before any of it is built."""
    content, tensors = read_stored(path)
    architecture = content.get("architecture")
    sees = isinstance(architecture, Mapping) and architecture.get("kind") == VISUOMOTOR
    return (VisuomotorPolicy if sees else NetworkPolicy).of(path, content, tensors)
