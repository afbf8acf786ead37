"""What people ask the running mesh, one module for each question; each is a route of the API.

They stand behind the API's own gate: whoever asks needs the home's token, or a service account that is allowed the path
by RBAC (`nonResourceURLs`), which only `cluster-admin` is by itself. A question that makes no sense is answered with a
Status, as the API does.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from semafor.app.fleet import Fleet
from semafor.app.history.recorder import Recorder
from semafor.app.pipeline import Pipeline
from semafor.app.questions import authz, describe, diff, envoy, explain, happened, history, metrics, tap

ROOT = "/semafor/v1"
_NAMED = "{namespace}/{name}"


class Past(NamedTuple):
    """What tells of what has been: of requests, and of the configuration."""

    accounts: happened.Accounts
    recorder: Recorder


def routes(
    pipeline: Pipeline, fleet: Fleet, admin: envoy.Admin, known: metrics.Metrics, past: Past
) -> tuple[Route, ...]:
    """The questions about this mesh."""
    return (
        *_about_requests(pipeline, fleet, past.accounts),
        *_about_revisions(past.recorder),
        *_about_objects(pipeline, fleet),
        *_about_proxies(pipeline, fleet, admin),
        *_about_load(known),
    )


def _about_requests(pipeline: Pipeline, fleet: Fleet, accounts: happened.Accounts) -> Iterator[Route]:
    async def life(request: Request) -> Response:
        return _answer(await accounts.life(pipeline.mesh, fleet, request.path_params["id"]))

    async def explained(request: Request) -> Response:
        question = explain.parse(await request.body())
        return _answer(explain.answer(pipeline.mesh, fleet.plan_of_pod, question))

    async def policies(request: Request) -> Response:
        return _answer(authz.policies(pipeline.mesh, fleet, _pod(request)))

    async def arrival(request: Request) -> Response:
        question = explain.parse(await request.body())
        return _answer(authz.arrival(pipeline.mesh, fleet, _pod(request), question))

    yield Route(f"{ROOT}/requests/{{id:path}}", life, methods=["GET"])
    yield Route(f"{ROOT}/explain", explained, methods=["POST"])
    yield Route(f"{ROOT}/authz/{_NAMED}", policies, methods=["GET"])
    yield Route(f"{ROOT}/authz/{_NAMED}", arrival, methods=["POST"])


def _about_objects(pipeline: Pipeline, fleet: Fleet) -> Iterator[Route]:
    describer = describe.Describer(pipeline, fleet)

    async def pod(request: Request) -> Response:
        return _answer(describer.pod(**request.path_params))

    async def service(request: Request) -> Response:
        return _answer(describer.service(**request.path_params))

    async def difference(request: Request) -> Response:
        return _answer(await diff.answer(pipeline, fleet, diff.parse(await request.body())))

    yield Route(f"{ROOT}/diff", difference, methods=["POST"])
    yield Route(f"{ROOT}/pods/{_NAMED}", pod, methods=["GET"])
    yield Route(f"{ROOT}/services/{_NAMED}", service, methods=["GET"])


def _about_proxies(pipeline: Pipeline, fleet: Fleet, admin: envoy.Admin) -> Iterator[Route]:
    taps = tap.Taps(admin.pods, admin.node)

    async def every(_: Request) -> Response:
        return _answer(admin.running(pipeline.proxies()))

    async def read(request: Request) -> Response:
        return _answer(await admin.read(**request.path_params))

    async def origins(request: Request) -> Response:
        return _answer(envoy.origins(fleet, _pod(request)))

    async def table(request: Request) -> Response:
        made = msgspec.to_builtins(envoy.origins(fleet, _pod(request)))
        return _answer(await admin.table(**request.path_params, origins=made))

    async def tapped(request: Request) -> Response:
        wanted = tap.parse(await request.body())
        return await taps.open(**request.path_params, wanted=wanted)

    async def levels(request: Request) -> Response:
        return _answer(await admin.log_levels(**request.path_params, body=await request.body()))

    yield Route(f"{ROOT}/proxies", every, methods=["GET"])
    yield Route(f"{ROOT}/proxies/{_NAMED}/origins", origins, methods=["GET"])
    yield Route(f"{ROOT}/proxies/{_NAMED}/tables/{{what}}", table, methods=["GET"])
    yield Route(f"{ROOT}/proxies/{_NAMED}/tap", tapped, methods=["POST"])
    yield Route(f"{ROOT}/proxies/{_NAMED}/log", levels, methods=["POST"])
    yield Route(f"{ROOT}/proxies/{_NAMED}/{{what}}", read, methods=["GET"])


def _about_revisions(recorder: Recorder) -> Iterator[Route]:
    async def every(_: Request) -> Response:
        return _answer(history.listed(recorder.revisions()))

    async def one(request: Request) -> Response:
        return _answer(history.one(recorder.revisions(), request.path_params["number"]))

    async def undo(request: Request) -> Response:
        return _answer(history.undone(recorder.revisions(), request.path_params["number"]))

    yield Route(f"{ROOT}/history", every, methods=["GET"])
    yield Route(f"{ROOT}/history/{{number:int}}", one, methods=["GET"])
    yield Route(f"{ROOT}/history/{{number:int}}/undo", undo, methods=["GET"])


def _about_load(known: metrics.Metrics) -> Iterator[Route]:
    async def load(request: Request) -> Response:
        return _answer(await metrics.load(known, **request.path_params))

    yield Route(f"{ROOT}/metrics/{_NAMED}/{{over_s:int}}", load, methods=["GET"])


def _pod(request: Request) -> str:
    return _NAMED.format(**request.path_params)


def _answer(value: object) -> Response:
    return JSONResponse(msgspec.to_builtins(value))
