"""What the API server asks before it stores: pods get their sidecar, rules are judged.

Source: Kubernetes' page "Dynamic Admission Control", AdmissionReview of admission.k8s.io/v1.
"""

import base64
import copy
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from semafor.app import inject, mesh_config, proxy_config, revisions
from semafor.app.cluster import container
from semafor.app.cluster.container import Image
from semafor.app.pipeline import RULES, Pipeline
from semafor.base import aio
from semafor.base.problem import Problem
from semafor.cluster.client import Client
from semafor.installation import sidecar
from semafor.resources import DecodeError, check
from semafor.resources.admissionregistration import webhooks as configurations
from semafor.resources.core import config_map, namespace
from semafor.resources.istio import proxy_config as istio_proxy_config
from semafor.resources.kind import Kind

log = logging.getLogger(__name__)

Doc = dict[str, Any]
INJECT: Final = "/inject"
VALIDATE: Final = "/validate"
_MAX_BYTES: Final = 8 << 20  # what an API server sends at most


class Webhooks:
    """`image` is what injected pods run."""

    def __init__(self, client: Client, pipeline: Pipeline, image: Image, namespace_: str) -> None:
        self._client = client
        self._pipeline = pipeline
        self._image = image
        self._namespace = namespace_

    def routes(self) -> list[BaseRoute]:
        return [
            Route(INJECT, _answering(self.inject), methods=["POST"]),
            Route(VALIDATE, _answering(self.validate), methods=["POST"]),
        ]

    async def inject(self, asked: Doc) -> Doc:
        """A JSON patch that gives the pod its sidecar, if it is to have one."""
        pod = copy.deepcopy(asked.get("object") or {})
        pod.setdefault("metadata", {})["namespace"] = asked.get("namespace", "")
        home = self._client.get(namespace.KIND, "", asked.get("namespace", "")) or {"metadata": {}}
        offer = self._offer()
        found = inject.verdict(pod, home["metadata"].get("labels") or {}, offer)
        if not found.wanted:
            return {"allowed": True}
        defaults = sidecar.defaults(offer.values.get(found.revision, {}))
        warnings = [str(problem) for problem in (*inject.problems(pod), *proxy_config.problems(pod))]
        injected = inject.inject(pod, self._settings(pod), revision=found.revision, defaults=defaults)
        made = container.housed(injected, self._image)
        patch = [
            {"op": "add", "path": "/spec", "value": made["spec"]},
            {"op": "add", "path": "/metadata/labels", "value": made["metadata"].get("labels") or {}},
            {"op": "add", "path": "/metadata/annotations", "value": made["metadata"].get("annotations") or {}},
        ]
        text = base64.b64encode(json.dumps(patch).encode()).decode()
        return {"allowed": True, "patchType": "JSONPatch", "patch": text} | ({"warnings": warnings} if warnings else {})

    def _offer(self) -> revisions.Offer:
        """The revisions that are installed; the one without a name, when nothing says."""
        known = revisions.offer(
            self._client.list(config_map.KIND, self._namespace), self._client.list(configurations.MUTATING)
        )
        return known if known.values else revisions.ONE

    def _settings(self, pod: Doc) -> proxy_config.Settings:
        written = self._client.get(config_map.KIND, self._namespace, mesh_config.NAME) or {}
        objects = self._client.list(istio_proxy_config.KIND)
        return proxy_config.of(pod, objects, mesh_config.document(written), self._pipeline.mesh.options.root_namespace)

    async def validate(self, asked: Doc) -> Doc:
        """Refuses what no proxy could use; says what is likely a mistake."""
        obj = asked.get("object")
        kind = _kind(asked)
        if obj is None or kind is None:
            return {"allowed": True}
        report = check.check(kind, obj)
        if report.errors:
            text = "; ".join(str(error) for error in report.errors)
            return {"allowed": False, "status": {"code": 422, "reason": "Invalid", "message": text}}
        try:
            problems = self._pipeline.judge(kind, obj)
        except DecodeError as error:
            return {"allowed": False, "status": {"code": 422, "reason": "Invalid", "message": str(error)}}
        warnings = [*report.warnings, *(_worded(problem) for problem in problems)]
        return {"allowed": True} | ({"warnings": warnings} if warnings else {})


def _kind(asked: Doc) -> Kind | None:
    said = asked.get("kind") or {}
    return next((each for each in RULES if (each.group, each.kind) == (said.get("group"), said.get("kind"))), None)


def _worded(problem: Problem) -> str:
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"{text} ({problem.fix})" if problem.fix else text


def _answering(decide: Callable[[Doc], Awaitable[Doc]]) -> Callable[[Request], Awaitable[Response]]:
    """The AdmissionReview around a decision."""

    async def answer(request: Request) -> Response:
        try:
            review = json.loads(await aio.joined(request.stream(), _MAX_BYTES))
            asked = review["request"]
            decided = await decide(asked)
        except aio.TooLargeError:
            return PlainTextResponse("too large", 413)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("a review is not understood: %r", error)
            return PlainTextResponse("this is no AdmissionReview", 400)
        response = {"uid": asked.get("uid", ""), **decided}
        return JSONResponse({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})

    return answer
