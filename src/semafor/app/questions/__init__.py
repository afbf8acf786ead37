"""What people ask the running mesh, one module for each question; each is a route of the API.

They stand behind the API's own gate: whoever asks needs the home's token, or a service account that is allowed the path
by RBAC (`nonResourceURLs`), which only `cluster-admin` is by itself. A question that makes no sense is answered with a
Status, as the API does.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.app.questions import explain

ROOT = "/semafor/v1"


def routes(pipeline: Pipeline, fleet: Fleet) -> tuple[Route, ...]:
    """The questions about this mesh."""

    async def explained(request: Request) -> Response:
        question = explain.parse(await request.body())
        return JSONResponse(explain.document(explain.answer(pipeline.mesh, fleet.plan_of_pod, question)))

    return (Route(f"{ROOT}/explain", explained, methods=["POST"]),)
