"""Where people and tools look for Jaeger (port 16686): its API as it is asked there, and for browsers the page.

/api/services, /api/traces, ...   Jaeger's own API, without a session, as Jaeger and Prometheus answer within a mesh
/jaeger/...                       the same below the path under which Istio's add-on has it
everything else                   the page, which asks to sign in
"""

from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from semafor.app.tracing import api
from semafor.app.tracing.traces import Traces
from semafor.app.web import gate

_BASE = "/jaeger"
_API = ("/api/services", "/api/operations", "/api/traces", "/api/dependencies", "/api/v3")
# Names that no foreign page can have: a browser that is led here by one of its own would not say them.
_INSIDE = (".istio-system", ".svc", ".svc.cluster.local")


class Jaeger:
    """An ASGI application before the page."""

    def __init__(self, page: ASGIApp, traces: Traces) -> None:
        self._page = page
        self._api = Starlette(routes=api.routes(traces))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(_BASE) or "/"
        if not path.startswith("/"):  # something that only begins like it
            path = scope["path"]
        if any(path == each or path.startswith(f"{each}/") for each in _API):
            answer = self._api if _is_known(Headers(scope=scope).get("host", "")) else _foreign()
            await answer({**scope, "path": path, "raw_path": path.encode()}, receive, gate.with_headers(send, path))
        elif path != scope["path"]:
            asked = scope["query_string"].decode("latin-1")
            await RedirectResponse("/" + path.lstrip("/\\") + (f"?{asked}" if asked else ""))(scope, receive, send)
        else:
            await self._page(scope, receive, send)


def _foreign() -> Response:
    return gate.problem(421, "WrongHost", "this API answers only to loopback, to addresses and to names of the mesh")


def _is_known(host: str) -> bool:
    """Whether the Host header is loopback's, an address, or a name that only the mesh has: not a foreign page's."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return bool(ip_address(name.strip("[]")))
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(_INSIDE))
