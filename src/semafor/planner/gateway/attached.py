"""What routes say of the hosts of one server, as values that both APIs' routes are read into."""

from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner.step import Step


class Attached(Value, cache_hash=True):
    """A virtual host of a server: its domains, and its steps in the order in which requests try them.

    One without steps answers 404.
    """

    domains: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    origin: Origin | None = None
