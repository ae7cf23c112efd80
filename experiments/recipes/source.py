"""Who acts: the policy that a request names, or nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from simworld.errors import ConfigurationError

if TYPE_CHECKING:
    from simworld.agents.policy import Policy
    from simworld.envs.config import EnvConfig

NOBODY = "none"
"""Instead of a policy: the robot holds what it is told at the beginning."""


@dataclass(frozen=True)
class PolicySource:
    """The policy `source`, as `load_policy` takes it, or NOBODY."""

    source: str = "expert"
    trust_pickle: bool = False
    normalization: Path | None = None

    def load(self, config: "EnvConfig") -> "Policy | None":
        """The policy for environments of a configuration; None for nobody."""
        if self.source == NOBODY:
            return None
        from simworld.agents.policy import load_policy

        return load_policy(self.source, config, trust_pickle=self.trust_pickle, normalization=self.normalization)

    def with_its_own(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options of an environment: what they do not say, such as its robot, the file of a trained policy does."""
        from simworld.agents.policy import stored_options

        own = stored_options(self.source)
        if "observation" in options:  # cameras and sizes are of what the policy would observe
            own = {name: value for name, value in own.items() if name not in ("observation", "cameras", "image_size")}
        return own | dict(options)

    def asked(self) -> dict[str, Any]:
        """What a request says of it: whatever its file is called, its content counts."""
        if self.source == NOBODY:
            return {"policy": NOBODY}
        from simworld.agents.policy import NOT_NORMALIZED, policy_digest, policy_file

        name = Path(policy_file(self.source)).name
        asked: dict[str, Any] = {"policy": name, "policy_sha256": policy_digest(self.source)}
        if self.normalization not in (None, NOT_NORMALIZED):
            asked["normalization_sha256"] = policy_digest(str(self.normalization))
        return asked

    def to_plain(self) -> dict[str, Any]:
        """All of it as JSON data, for a job on this machine."""
        given = None if self.normalization is None else str(self.normalization)
        return {"source": self.source, "trust_pickle": self.trust_pickle, "normalization": given}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """What `to_plain` gave."""
        given = plain["normalization"]
        return cls(plain["source"], plain["trust_pickle"], None if given is None else Path(given))


def acting(source: PolicySource, config: "EnvConfig") -> "Policy":
    """The policy for environments of a configuration, where somebody has to act."""
    act = source.load(config)
    if act is None:
        raise ConfigurationError("policy: an episode needs one who acts, got 'none'")
    return act
