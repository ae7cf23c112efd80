"""Where jobs run: in this process, or in others on this machine; what they make is the same."""

from simworld.engines.engine import Engine, make_engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, Storage, register_job
from simworld.engines.processes import LocalProcesses

__all__ = ["Engine", "Here", "LocalProcesses", "ShardJob", "Storage", "make_engine", "register_job"]
