"""Where terms of a user's own are defined, for processes that have not imported them yet.

What is imported is what a process says of tasks that it holds itself, in its pickles and to its workers; what a file
says never is.
"""

from collections.abc import Mapping

from simworld.engines.job import import_module
from simworld.envs.terms.term import kinds
from simworld.errors import ConfigurationError


def homes(names: set[str]) -> dict[str, str]:
    """The modules of those kinds of terms that do not ship, by the kind's name."""
    modules = {name: kinds()[name].__module__ for name in sorted(names) if name in kinds()}
    return {name: module for name, module in modules.items() if not module.startswith("simworld.")}


def import_homes(modules: Mapping[str, str]) -> None:
    """Import the modules of kinds that are not known here; ConfigurationError for one that cannot be."""
    for name, module in modules.items():
        if name not in kinds():
            check_homes({name: module})
            import_module(module)


def check_homes(modules: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a kind that no other process can import."""
    for name, module in modules.items():
        if module == "__main__":
            raise ConfigurationError(
                f"the term {name!r} is defined in the program that runs, where no other process finds it: put it in a "
                "module, which the program imports"
            )
