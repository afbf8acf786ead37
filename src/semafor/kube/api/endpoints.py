"""HTTP on resources: each method, from the request to the response."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from semafor.kube.api import (
    accept,
    answers,
    approval,
    bodies,
    call,
    discovery,
    errors,
    patches,
    paths,
    rbac,
    reading,
    watching,
)
from semafor.kube.api.accept import Form
from semafor.kube.api.call import Call
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Options
from semafor.kube.api.requests import duplicates, optional_object, read_body, read_object
from semafor.kube.api.subresources import Subresources
from semafor.kube.api.views import View
from semafor.resources import errors as field_errors
from semafor.resources.certificates import certificate_signing_request

Doc = dict[str, Any]

Method = Callable[[Request, Call], Awaitable[Response]]

_MAIN = ("", "status")
# Of others a Status tells that they are gone. Source: ReturnDeletedObject in kube-apiserver's registries.
_SHOWN_WHEN_GONE = frozenset({"pods", "services", "serviceaccounts", "persistentvolumeclaims", "persistentvolumes"})


class Endpoints:
    """Every method on every kind; `handle` is the door."""

    def __init__(self, objects: Objects, options: Options) -> None:
        self._objects = objects
        self._subresources = Subresources(objects, options)

    async def handle(self, request: Request) -> Response:
        """Answer a request below /api/v1 or /apis/GROUP/VERSION. Raises StatusError."""
        about = self._call(request)
        method = self._method(request.method, about)
        if about.kind is certificate_signing_request.KIND and request.method != "GET" and about.subresource:
            approval.require(about, self._objects.get(about.kind, "", about.name), self._objects.listed)
        return await method(request, about)

    def _call(self, request: Request) -> Call:
        target = paths.parse(
            request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1") or request.url.path
        )
        kind = self._objects.catalog.by_plural(target.group, target.plural) if target else None
        if target is None or kind is None or target.version not in kind.versions or not discovery.listed([kind]):
            raise errors.no_such_page()
        if target.namespace and not kind.namespaced:
            raise errors.no_such_page()
        query, options = request.query_params, call.options(request.method)
        return Call(
            kind=kind,
            version=target.version,
            namespace=target.namespace,
            name=target.name,
            subresource=target.subresource,
            user=request.state.user,
            manager=call.manager(query.get("fieldManager", ""), request.headers.get("user-agent", ""), options),
            dry_run=call.dry_run(query.get("dryRun", ""), options),
            validation=call.validation(query.get("fieldValidation", ""), options),
            force=call.flag(query, "force"),
        )

    def _method(self, method: str, about: Call) -> Method:
        if about.subresource not in _MAIN or about.kind.virtual:
            return self._subresources.method(method, about)
        if about.subresource and about.subresource not in about.kind.subresources:
            raise errors.no_such_page()
        table = self._of_object(about) if about.name else self._of_collection(about)
        if method not in table:
            raise errors.method_not_allowed()
        return table[method]

    def _of_object(self, about: Call) -> Mapping[str, Method]:
        methods = {"GET": self._get, "PUT": self._replace, "PATCH": self._patch}
        return methods if about.subresource else {**methods, "DELETE": self._delete}

    def _of_collection(self, about: Call) -> Mapping[str, Method]:
        reads = {"GET": self._list}
        if about.kind.namespaced and not about.namespace:
            return reads
        return {**reads, "POST": self._create, "DELETE": self._delete_collection}

    async def _get(self, request: Request, about: Call) -> Response:
        if about.kind.namespaced and not about.namespace:
            raise errors.no_such_page()
        entry = self._objects.store.entry(about.kind.resource, about.namespace, about.name)
        if entry is None:
            raise errors.not_found(about.kind, about.name)
        view = self._view(request, about)
        if view.plain and view.form.media_type == accept.JSON:
            return answers.raw(entry.body)
        return answers.document(view.one(entry.object), form=view.form)

    async def _list(self, request: Request, about: Call) -> Response:
        options = reading.list_options(request.query_params)
        view = self._view(request, about)
        namespace = about.namespace or None
        if options.watch:
            lines = watching.start(self._objects.store, view, namespace, options)
            return StreamingResponse(lines, media_type=accept.JSON, headers={"Cache-Control": "no-cache, private"})
        page = reading.page(self._objects.store, about.kind, namespace, options)
        meta: Doc = {"resourceVersion": str(page.version)}
        if page.continue_at:
            meta["continue"] = page.continue_at
        if page.remaining is not None:
            meta["remainingItemCount"] = page.remaining
        body = view.many(page.entries, meta)
        if view.form.media_type == accept.YAML:
            return answers.document(bodies.decode_json(body).value, form=view.form)
        return answers.raw(body)

    async def _create(self, request: Request, about: Call) -> Response:
        form = self._form(request)
        doc, warnings = await read_object(request, about)
        outcome = await self._objects.create(about, doc)
        return self._written(request, about, outcome.obj, form, (*warnings, *outcome.warnings), code=201)

    async def _replace(self, request: Request, about: Call) -> Response:
        form = self._form(request)
        doc, warnings = await read_object(request, about)
        outcome = await self._objects.update(about, lambda _: doc)
        return self._written(request, about, outcome.obj, form, (*warnings, *outcome.warnings))

    async def _patch(self, request: Request, about: Call) -> Response:
        form = self._form(request)
        content_type = bodies.media_type(request.headers.get("content-type", ""))
        body = await read_body(request)
        if content_type == bodies.APPLY_PATCH:
            return await self._apply(request, about, body, form)
        outcome = await self._objects.update(about, patches.change(about, content_type, body))
        return self._written(request, about, outcome.obj, form, outcome.warnings)

    async def _apply(self, request: Request, about: Call, body: bytes, form: Form) -> Response:
        if not request.query_params.get("fieldManager"):
            missing = field_errors.required("fieldManager", "is required for apply patch")
            raise errors.wrong_option("PatchOptions", missing)
        if self._objects.store.head(about.kind.resource, about.namespace, about.name) is None:
            self._require_creation(about)
        decoded = bodies.decode_yaml(body)
        warnings = duplicates(about, decoded)
        outcome = await self._objects.apply(about, bodies.as_object(decoded))
        code = 201 if outcome.created else 200
        return self._written(request, about, outcome.obj, form, (*warnings, *outcome.warnings), code=code)

    def _require_creation(self, about: Call) -> None:
        """Who may patch, but not create, makes no new objects by applying them. Raises StatusError 403."""
        parts = {"group": about.kind.group, "resource": about.kind.plural, "subresource": about.subresource}
        wanted = rbac.Attributes(verb="create", namespace=about.namespace, name=about.name, **parts)
        verdict = rbac.decide(about.user, wanted, self._objects.listed)
        if not verdict.allowed:
            raise rbac.refusal(about.user, wanted, verdict.reason)

    async def _delete(self, request: Request, about: Call) -> Response:
        options = call.delete_options(await optional_object(request), request.query_params)
        obj, gone = await self._objects.delete(about, options)
        form = self._form(request)
        if gone and about.kind.resource not in _SHOWN_WHEN_GONE:
            return answers.document(answers.success(about.kind, obj), form=form)
        return self._written(request, about, obj, form, ())

    async def _delete_collection(self, request: Request, about: Call) -> Response:
        options = call.delete_options(await optional_object(request), request.query_params)
        listing = reading.list_options(request.query_params)
        page = reading.page(self._objects.store, about.kind, about.namespace or None, listing)
        for entry in page.entries:
            meta = entry.object["metadata"]
            one = _named(about, meta.get("namespace", ""), meta["name"])
            await _ignoring_absence(self._objects.delete(one, options))
        view = self._view(request, about)
        return answers.raw(view.many(page.entries, {"resourceVersion": str(page.version)}))

    def _form(self, request: Request) -> Form:
        return accept.choose(request.headers.get("accept", ""), shapes=accept.OBJECTS)

    def _view(self, request: Request, about: Call) -> View:
        include = request.query_params.get("includeObject", "")
        if include not in ("", "Metadata", "Object", "None"):
            words = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
            raise errors.bad_request(f"Unable to convert to Table as requested: includeObject: {words}")
        return View(about.kind, about.version, self._form(request), include, self._objects.now)

    def _written(
        self, request: Request, about: Call, obj: Doc, form: Form, warnings: tuple[str, ...], *, code: int = 200
    ) -> Response:
        view = View(about.kind, about.version, form, request.query_params.get("includeObject", ""), self._objects.now)
        return answers.document(view.one(obj), code=code, form=form, warnings=warnings)


def _named(about: Call, namespace: str, name: str) -> Call:
    return Call(
        kind=about.kind, version=about.version, namespace=namespace, name=name, user=about.user, dry_run=about.dry_run
    )


async def _ignoring_absence(deletion: Awaitable[Any]) -> None:
    try:
        await deletion
    except errors.StatusError as error:
        if error.code != 404:
            raise
