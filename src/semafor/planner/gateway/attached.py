"""What routes say of the hosts of one server, as values that both APIs' routes are read into."""

from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner.routes.step import L4Step, Step


class Attached(Value, cache_hash=True):
    """A virtual host of a server: its domains, and its steps in the order in which requests try them.

    One without steps answers 404. `l4` is what servers of bytes do, first come first served: for TLS that is passed
    through one chain for each set of server names, for all others the first step alone.
    """

    domains: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    l4: tuple[L4Step, ...] = ()
    origin: Origin | None = None

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of all destinations."""
        targets = [target for step in self.steps for target in step.will.targets]
        targets += [mirror.target for step in self.steps for mirror in step.will.mirrors]
        targets += [target for l4 in self.l4 for target in l4.targets]
        return frozenset(target.host for target in targets)
