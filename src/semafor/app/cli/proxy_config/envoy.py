"""The Envoy of a pod, whose documents are fetched by way of the mesh."""

from semafor.app.cli import workloads
from semafor.app.cli.api import Api
from semafor.app.envoy_tables.documents import Documents
from semafor.app.home import Home


class Envoy(Documents):
    """The Envoy of a pod."""

    def __init__(self, pod: str, namespace: str) -> None:
        api = Api(Home.find())
        self._api = api
        self.pod = workloads.full_name(workloads.pod(api, pod, namespace))
        super().__init__(lambda what: api.ask(f"proxies/{self.pod}/{what}"))

    def log_levels(self, wanted: dict[str, str]) -> dict[str, str]:
        """The levels of its loggers, after the wanted ones are set."""
        found: dict[str, str] = self._api.ask(f"proxies/{self.pod}/log", wanted)
        return found
