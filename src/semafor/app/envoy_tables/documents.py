"""An Envoy's own documents, taken apart."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

Doc = dict[str, Any]

_DUMPS = "type.googleapis.com/envoy.admin.v3."


class Documents:
    """What one Envoy says. Each document (`config_dump`, `clusters`, `origins`) is asked for when needed, and once."""

    def __init__(self, ask: Callable[[str], Doc]) -> None:
        self._ask = ask

    @cached_property
    def bootstrap(self) -> Doc:
        found: Doc = self._part("BootstrapConfigDump").get("bootstrap", {})
        return found

    @cached_property
    def clusters(self) -> list[Doc]:
        dump = self._part("ClustersConfigDump")
        every = (*dump.get("dynamic_active_clusters", ()), *dump.get("static_clusters", ()))
        return [each["cluster"] for each in every if "cluster" in each]

    @cached_property
    def listeners(self) -> list[Doc]:
        dump = self._part("ListenersConfigDump")
        own = [each["listener"] for each in dump.get("static_listeners", ()) if "listener" in each]
        active = (each.get("active_state", {}) for each in dump.get("dynamic_listeners", ()))
        return [*(each["listener"] for each in active if "listener" in each), *own]

    @cached_property
    def routes(self) -> list[Doc]:
        dump = self._part("RoutesConfigDump")
        every = (*dump.get("dynamic_route_configs", ()), *dump.get("static_route_configs", ()))
        return [each["route_config"] for each in every if "route_config" in each]

    @cached_property
    def secrets(self) -> Doc:
        return self._part("SecretsConfigDump")

    @cached_property
    def extensions(self) -> list[Doc]:
        dump = self._part("EcdsConfigDump")
        return [each["ecds_filter"] for each in dump.get("ecds_filters", ()) if "ecds_filter" in each]

    @cached_property
    def endpoints(self) -> list[Doc]:
        """What Envoy thinks of each cluster's hosts."""
        return list(self._ask("clusters").get("cluster_statuses", ()))

    @cached_property
    def origins(self) -> Doc:
        """Which rules made its clusters and routes."""
        return self._ask("origins")

    @property
    def configs(self) -> list[Doc]:
        return list(self._dump["configs"])

    @cached_property
    def _dump(self) -> Doc:
        return self._ask("config_dump")

    def _part(self, name: str) -> Doc:
        return next((each for each in self.configs if each["@type"] == _DUMPS + name), {})


def address(node: Doc) -> tuple[str, int]:
    """Address and port of an Address; of a unix socket the path and 0."""
    if "pipe" in node:
        return str(node["pipe"]["path"]), 0
    socket = node.get("socket_address", {})
    return str(socket.get("address", "")), int(socket.get("port_value", 0))


def chains(listener: Doc) -> Iterator[Doc]:
    """All filter chains of a listener."""
    yield from listener.get("filter_chains", ())
    if "default_filter_chain" in listener:
        yield listener["default_filter_chain"]
