"""What people ask the running mesh, one module for each question; each is a route of the API.

They stand behind the API's own gate: whoever asks needs the home's token, or a service account that is allowed the path
by RBAC (`nonResourceURLs`), which only `cluster-admin` is by itself. A question that makes no sense is answered with a
Status, as the API does.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.app.questions import authz, describe, explain

ROOT = "/semafor/v1"


def routes(pipeline: Pipeline, fleet: Fleet) -> tuple[Route, ...]:
    """The questions about this mesh."""

    async def explained(request: Request) -> Response:
        question = explain.parse(await request.body())
        return _answer(explain.answer(pipeline.mesh, fleet.plan_of_pod, question))

    async def policies(request: Request) -> Response:
        return _answer(authz.policies(pipeline.mesh, fleet, _pod(request)))

    async def arrival(request: Request) -> Response:
        question = explain.parse(await request.body())
        return _answer(authz.arrival(pipeline.mesh, fleet, _pod(request), question))

    describer = describe.Describer(pipeline, fleet)

    async def pod(request: Request) -> Response:
        return _answer(describer.pod(**request.path_params))

    async def service(request: Request) -> Response:
        return _answer(describer.service(**request.path_params))

    return (
        Route(f"{ROOT}/explain", explained, methods=["POST"]),
        Route(f"{ROOT}/authz/{{namespace}}/{{name}}", policies, methods=["GET"]),
        Route(f"{ROOT}/authz/{{namespace}}/{{name}}", arrival, methods=["POST"]),
        Route(f"{ROOT}/pods/{{namespace}}/{{name}}", pod, methods=["GET"]),
        Route(f"{ROOT}/services/{{namespace}}/{{name}}", service, methods=["GET"]),
    )


def _pod(request: Request) -> str:
    return "{namespace}/{name}".format(**request.path_params)


def _answer(value: object) -> Response:
    return JSONResponse(msgspec.to_builtins(value))
