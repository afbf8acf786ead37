"""Changes that the user makes to Envoy's configuration itself, after everything else."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.origin import Origin

ApplyTo = Literal[
    "LISTENER",
    "LISTENER_FILTER",
    "FILTER_CHAIN",
    "NETWORK_FILTER",
    "HTTP_FILTER",
    "ROUTE_CONFIGURATION",
    "VIRTUAL_HOST",
    "HTTP_ROUTE",
    "CLUSTER",
    "EXTENSION_CONFIG",
    "BOOTSTRAP",
]
Operation = Literal[
    "MERGE",
    "MERGE_AND_REPLACE_LIST",
    "ADD",
    "REMOVE",
    "INSERT_BEFORE",
    "INSERT_AFTER",
    "INSERT_FIRST",
    "REPLACE",
]


class PatchListener(Value):
    """Which listeners, and what of them; empty texts and a port of 0 match any.

    `port` is the listener's, or the destination port of a chain where a listener takes all ports. `alpn` has to be a
    part of the chain's. `filter` and `sub_filter` are names of a network filter and of an HTTP filter in it.
    """

    name: str = ""
    port: int = 0
    listener_filter: str = ""
    chain: str = ""
    sni: str = ""
    transport: str = ""
    alpn: tuple[str, ...] = ()
    destination_port: int = 0
    filter: str = ""
    sub_filter: str = ""


class PatchRoutes(Value):
    """Which route tables, by regular expressions all of which their names have to match, and what of them.

    `any_route` is False where a route is asked for, even one of any name: inserting is then relative to it.
    """

    tables: tuple[str, ...] = ()
    host: str = ""
    domain: str = ""
    route: str = ""
    action: Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"] = "ANY"
    any_route: bool = True


class Patch(Value, cache_hash=True):
    """One change.

    `value` is the piece of Envoy's configuration as canonical JSON. `direction` limits it to what comes in or goes out.
    `clusters` are regular expressions one of which a cluster's name has to match; empty means all clusters.
    """

    apply_to: ApplyTo
    operation: Operation
    origin: Origin
    value: str = ""
    direction: Literal["any", "inbound", "outbound"] = "any"
    filter_class: Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"] = "UNSPECIFIED"
    listener: PatchListener = PatchListener()
    routes: PatchRoutes = PatchRoutes()
    clusters: tuple[str, ...] = ()
