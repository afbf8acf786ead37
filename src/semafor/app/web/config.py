"""The mesh's configuration: what there is, whether it is live and right, and changing it. `/api/config`."""

from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from semafor.app.web import overview, review
from semafor.app.web.gate import problem
from semafor.app.web.sources import Sources
from semafor.base.problem import ObjectRef
from semafor.kube.api.call import Call, DeleteOptions
from semafor.kube.api.errors import StatusError
from semafor.kube.api.options import ADMINS, User
from semafor.resources import registry
from semafor.resources.kind import Kind

Doc = dict[str, Any]

# The mesh's own kinds. What runs in the cluster is changed with kubectl.
_GROUPS = (".istio.io", "gateway.networking.k8s.io", ".smi-spec.io", "monitoring.coreos.com")
KINDS: tuple[Kind, ...] = tuple(
    kind for kind in registry.KINDS if any(f".{kind.group}".endswith(group) for group in _GROUPS) and not kind.virtual
)
_MANAGER = "semafor-page"
_ADMIN = User(name="semafor:page", groups=(ADMINS, "system:authenticated"))
_OURS = ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Config:
    """Reads and writes objects of the mesh's kinds."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        one = "/api/config/{kind}/{namespace}/{name}"
        return (
            Route("/api/config", self.listed),
            Route("/api/config/kinds", self.kinds),
            Route("/api/config/check", self.check, methods=["POST"]),
            Route("/api/config/apply", self.apply, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
        )

    async def kinds(self, _: Request) -> Response:
        """What can be made here."""
        return JSONResponse({"kinds": [{"kind": each.kind, "apiVersion": each.api_version()} for each in KINDS]})

    async def listed(self, _: Request) -> Response:
        """Every object, with whether it is live and its problems."""
        problems = self._sources.control.problems()
        store = self._sources.objects.store
        rows = [row(kind, obj, problems) for kind in KINDS for obj in store.list(kind.resource)[0]]
        return JSONResponse({"objects": rows})

    async def get(self, request: Request) -> Response:
        """One object, as YAML that one can edit."""
        kind, obj = self._find(request)
        if kind is None or obj is None:
            return problem(404, "NotFound", "there is no such object")
        told = row(kind, obj, self._sources.control.problems())
        return JSONResponse({**told, "yaml": written(obj), "version": obj["metadata"]["resourceVersion"]})

    async def check(self, request: Request) -> Response:
        """What would be said of the text if it were applied. Nothing is changed."""
        text, version = await _asked(request)
        if text is None:
            return problem(400, "BadRequest", "an object with the text `yaml` was expected")
        return JSONResponse((await self._review(text, version, dry_run=True))[0])

    async def apply(self, request: Request) -> Response:
        """Store the documents of the text, all or none as far as can be told before."""
        text, version = await _asked(request)
        if text is None:
            return problem(400, "BadRequest", "an object with the text `yaml` was expected")
        told, right = await self._review(text, version, dry_run=True)
        if not right:
            return JSONResponse(told, status_code=422)
        told, right = await self._review(text, version, dry_run=False)
        return JSONResponse(told, status_code=200 if right else 409)

    async def delete(self, request: Request) -> Response:
        kind, obj = self._find(request)
        if kind is None or obj is None:
            return problem(404, "NotFound", "there is no such object")
        try:
            await self._sources.objects.delete(_call(kind, obj, dry_run=False), DeleteOptions())
        except StatusError as error:
            return problem(error.code, error.reason, error.message)
        return JSONResponse({"deleted": True})

    def _find(self, request: Request) -> tuple[Kind | None, Doc | None]:
        asked = request.path_params
        kind = next((each for each in KINDS if each.resource == asked["kind"]), None)
        if kind is None:
            return None, None
        namespace = asked["namespace"] if kind.namespaced else ""
        return kind, self._sources.objects.store.get(kind.resource, namespace, asked["name"])

    async def _review(self, text: str, version: str, *, dry_run: bool) -> tuple[Doc, bool]:
        """What is found in the text and the objects it came to; whether it can be, or was, stored."""
        read = review.read(text, KINDS)
        findings = [*read.findings]
        stored: list[Doc] = []
        for document in read.documents:
            found = review.judge(document, self._sources.control)
            if not any(each.severity == "error" for each in found):
                made, refusals = await self._store(document, version, dry_run=dry_run)
                found = [*found, *refusals]
                stored += [_key(document.kind, made)] if made else []
            findings += found
        right = bool(read.documents) and not any(each.severity == "error" for each in findings)
        return {"findings": [msgspec.to_builtins(each) for each in findings], "objects": stored, "ok": right}, right

    async def _store(
        self, document: review.Reviewed, version: str, *, dry_run: bool
    ) -> tuple[Doc | None, list[review.Finding]]:
        """Create the object, or put it in the place of the one that is there, if that is still of this version."""
        call, doc = _call(document.kind, document.doc, dry_run=dry_run), document.doc
        objects = self._sources.objects
        old = objects.store.get(document.kind.resource, call.namespace, call.name)
        if old is not None:
            metadata = {**doc["metadata"], "resourceVersion": version or old["metadata"]["resourceVersion"]}
            doc = {**doc, "metadata": metadata}
        try:
            done = await (objects.update(call, lambda _: doc) if old else objects.create(call, doc))
        except StatusError as error:
            return None, review.refusal(document, error)
        return done.obj, []


async def _asked(request: Request) -> tuple[str | None, str]:
    try:
        body = await request.json()
    except ValueError:
        return None, ""
    text = body.get("yaml") if isinstance(body, dict) else None
    version = body.get("version") if isinstance(body, dict) else ""
    return (text if isinstance(text, str) else None), (version if isinstance(version, str) else "")


def _call(kind: Kind, doc: Doc, *, dry_run: bool) -> Call:
    metadata = doc["metadata"]
    return Call(
        kind=kind,
        version=doc["apiVersion"].rpartition("/")[2],
        namespace=metadata.get("namespace", "default") if kind.namespaced else "",
        name=metadata.get("name", ""),
        user=_ADMIN,
        manager=_MANAGER,
        dry_run=dry_run,
        validation="Strict",
    )


def _key(kind: Kind, obj: Doc) -> Doc:
    metadata = obj["metadata"]
    return {"kind": kind.kind, "resource": kind.resource, "namespace": metadata.get("namespace", "")} | {
        "name": metadata["name"]
    }


def row(kind: Kind, obj: Doc, problems: Any) -> Doc:
    metadata = obj["metadata"]
    ref = ObjectRef(kind=kind.kind, name=metadata["name"], namespace=metadata.get("namespace", ""), group=kind.group)
    return {
        **_key(kind, obj),
        "group": kind.group,
        "created": metadata.get("creationTimestamp", ""),
        "live": live(obj),
        "problems": [overview.document(each) for each in problems.get(ref, ())],
        "summary": ", ".join(_summary(obj)),
    }


def live(obj: Doc) -> Doc | None:
    """Whether the object is in force, by its own condition; None for kinds that have none."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    found = next((each for each in conditions if each.get("type") == "Live"), None)
    if found is None:
        return None
    return {"status": found["status"] == "True", "reason": found.get("reason"), "message": found.get("message")}


def _summary(obj: Doc) -> Iterator[str]:
    """What the object is for, in a few words of its own."""
    spec = obj.get("spec") or {}
    yield from spec.get("hosts") or spec.get("hostnames") or ()
    if spec.get("host"):
        yield spec["host"]
    if mode := (spec.get("mtls") or {}).get("mode"):
        yield f"mTLS {mode}"
    if obj["kind"] == "AuthorizationPolicy":
        yield spec.get("action", "ALLOW")
    labels = (spec.get("selector") or {}).get("matchLabels") or (spec.get("workloadSelector") or {}).get("labels") or {}
    if isinstance(labels, dict):
        yield from (f"{key}={value}" for key, value in labels.items())


def written(obj: Doc) -> str:
    """The object as its author would write it: without what the API fills in."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _OURS}
    notes = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _APPLIED}
    metadata.pop("annotations", None)
    if notes:
        metadata["annotations"] = notes
    shown = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
    shown |= {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=100)
