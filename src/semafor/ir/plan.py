"""The whole plan of one proxy."""

from semafor.base.struct import Value
from semafor.ir.cluster import Cluster
from semafor.ir.credential import Credential
from semafor.ir.dns import DnsRelay
from semafor.ir.endpoint import EndpointSet
from semafor.ir.listener import Listener
from semafor.ir.patch import Patch
from semafor.ir.route import RouteTable


class Plan(Value):
    """Everything that the proxy called `proxy` is told. Names are unique within each part.

    Parts are shared between the plans of proxies with the same view, so comparing and rendering them is cheap.
    """

    proxy: str
    listeners: tuple[Listener, ...] = ()
    routes: tuple[RouteTable, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    endpoints: tuple[EndpointSet, ...] = ()
    credentials: tuple[Credential, ...] = ()
    dns: DnsRelay | None = None
    patches: tuple[Patch, ...] = ()
