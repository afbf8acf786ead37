"""How the mesh itself does: its proxies, their certificates, the authority that signs them. `/api/mesh/status`."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

import semafor
from semafor.app import proxies
from semafor.app.web import workloads
from semafor.app.web.sources import Sources

Doc = dict[str, Any]
_ENDED = ("Succeeded", "Failed")


class Status:
    """Joins what the pipeline, the pods and the authority say."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        return (Route("/api/mesh/status", self.status),)

    async def status(self, _: Request) -> Response:
        """The control plane, and every proxy of a pod that runs."""
        standing = self._sources.standing()
        told = {each["proxy"]: each for each in self._sources.control.proxies()}
        known = workloads.found(self._sources.objects.store)
        rows = [
            _row(pod, each.name, told[name], standing.leaves.get(f"{each.namespace}/{pod['metadata']['name']}"))
            for each in known
            for pod in each.pods
            if (name := f"{pod['metadata']['name']}.{each.namespace}") in told
            and (pod.get("status") or {}).get("phase") not in _ENDED
        ]
        without = [each.document for each in known if each.pods and not each.meshed]
        return JSONResponse(
            {
                "version": semafor.__version__,
                "proxies": rows,
                "without": without,
                "authority": dict(standing.authority),
                "figures": dict(standing.figures),
            }
        )


def _row(pod: Doc, workload: str, told: Doc, expires: Any) -> Doc:
    return {
        "namespace": pod["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "workload": workload,
        "role": proxies.role(pod),
        "connected": told["connected"],
        "behind": max(0, told["behind"]),
        "types": told["types"],
        "expires": expires.timestamp() if expires else None,
    }
