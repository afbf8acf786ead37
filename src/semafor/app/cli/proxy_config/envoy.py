"""An Envoy's own documents, fetched by way of the mesh and taken apart."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from semafor.app.cli import workloads
from semafor.app.cli.api import Api
from semafor.app.home import Home

Doc = dict[str, Any]

_DUMPS = "type.googleapis.com/envoy.admin.v3."


class Envoy:
    """The Envoy of a pod. Each document is fetched when it is asked for, and once."""

    def __init__(self, pod: str, namespace: str) -> None:
        self._api = Api(Home.find())
        self.pod = workloads.full_name(workloads.pod(self._api, pod, namespace))

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

    def log_levels(self, wanted: dict[str, str]) -> dict[str, str]:
        """The levels of its loggers, after the wanted ones are set."""
        found: dict[str, str] = self._api.ask(f"proxies/{self.pod}/log", wanted)
        return found

    @cached_property
    def _dump(self) -> Doc:
        return self._ask("config_dump")

    def _part(self, name: str) -> Doc:
        return next((each for each in self.configs if each["@type"] == _DUMPS + name), {})

    def _ask(self, what: str) -> Doc:
        found: Doc = self._api.ask(f"proxies/{self.pod}/{what}")
        return found


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
