"""What add-ons for Istio need beside their manifests, so that the commands that go with them work as they are told."""

from typing import Any, Final

from semafor.app import mesh_config
from semafor.kube.api.options import AdmissionRequest, Admitted
from semafor.resources.core import service

# Jaeger's own port. Istio's Service `tracing` leads to it from port 80 alone, and what is told of it is
# `kubectl port-forward svc/tracing 16686:16686`, for which kubectl wants a port of that number.
_TRACING: Final = "tracing"
_PORT: Final = 16686


class TracingPort:
    """Differs from Istio: its Service `tracing` gets the port of Jaeger's page beside the one that leads there."""

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        is_service = new is not None and request.kind is service.KIND
        if new is None or not is_service or (request.namespace, request.name) != (mesh_config.NAMESPACE, _TRACING):
            return Admitted(new or {})
        return Admitted(with_port(new))


def with_port(tracing: dict[str, Any]) -> dict[str, Any]:
    """The Service with the port, when it leads there and has none of that number."""
    ports = tracing["spec"].get("ports") or []
    leads = any(port.get("targetPort") == _PORT for port in ports)
    if not leads or any(port.get("port") == _PORT for port in ports):
        return tracing
    more = {"name": "http-jaeger", "port": _PORT, "protocol": "TCP", "targetPort": _PORT}
    return {**tracing, "spec": {**tracing["spec"], "ports": [*ports, more]}}
