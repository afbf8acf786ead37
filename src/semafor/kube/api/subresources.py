"""Subresources with a life of their own (scale, binding, eviction, token, finalize), and kinds that are only answered.

`log`, `exec`, `attach` and `portforward` are not here but in `streams`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from semafor.kube.api import (
    accept,
    answers,
    approval,
    bodies,
    call,
    errors,
    measured,
    patches,
    reading,
    requests,
    reviews,
    scale,
)
from semafor.kube.api.call import Call
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Options
from semafor.resources.core import node, pod
from semafor.resources.metrics import usage

Doc = dict[str, Any]
Method = Callable[[Request, Call], Awaitable[Response]]


_DONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class Subresources:
    """A table of methods by subresource and HTTP method."""

    def __init__(self, objects: Objects, options: Options) -> None:
        self._objects = objects
        self._options = options
        self._methods: dict[tuple[str, str], Method] = {
            ("scale", "GET"): self._get_scale,
            ("scale", "PUT"): self._put_scale,
            ("scale", "PATCH"): self._patch_scale,
            ("approval", "GET"): self._undecided,
            ("approval", "PUT"): self._decide,
            ("approval", "PATCH"): self._decide_by_patch,
            ("finalize", "PUT"): self._finalize,
            ("binding", "POST"): self._bind,
            ("eviction", "POST"): self._evict,
            ("token", "POST"): self._token,
        }

    def method(self, method: str, about: Call) -> Method:
        """The method that answers. Raises StatusError 404 or 405."""
        if about.kind.group == usage.GROUP:
            if about.subresource or method != "GET":
                raise errors.method_not_allowed()
            return self._measure
        if about.kind.virtual:
            if about.subresource or about.name:
                raise errors.no_such_page()
            if method != "POST":
                raise errors.method_not_allowed()
            return self._review
        known = about.subresource in about.kind.subresources
        if not known or not about.name or not any(name == about.subresource for name, _ in self._methods):
            raise errors.no_such_page()
        if (about.subresource, method) not in self._methods:
            raise errors.method_not_allowed()
        return self._methods[about.subresource, method]

    async def _get_scale(self, request: Request, about: Call) -> Response:
        obj = self._objects.get(about.kind, about.namespace, about.name)
        return _answer(request, scale.of(about.kind, obj))

    async def _put_scale(self, request: Request, about: Call) -> Response:
        wanted, warnings = await requests.read_object(request, about)
        return await self._rescale(request, about, lambda _: wanted, warnings)

    async def _patch_scale(self, request: Request, about: Call) -> Response:
        content_type = bodies.media_type(request.headers.get("content-type", ""))
        change = patches.plain(content_type, await requests.read_body(request))
        return await self._rescale(request, about, change, ())

    async def _rescale(
        self, request: Request, about: Call, change: patches.Change, warnings: tuple[str, ...]
    ) -> Response:
        kind = about.kind
        outcome = await self._objects.update(about, lambda old: scale.applied(about, old, change(scale.of(kind, old))))
        return _answer(request, scale.of(kind, outcome.obj), (*warnings, *outcome.warnings))

    async def _undecided(self, request: Request, about: Call) -> Response:
        return _answer(request, self._objects.get(about.kind, about.namespace, about.name))

    async def _decide(self, request: Request, about: Call) -> Response:
        wanted, warnings = await requests.read_object(request, about)
        return await self._decided(request, about, lambda _: wanted, warnings)

    async def _decide_by_patch(self, request: Request, about: Call) -> Response:
        content_type = bodies.media_type(request.headers.get("content-type", ""))
        change = patches.change(about, content_type, await requests.read_body(request))
        return await self._decided(request, about, change, ())

    async def _decided(
        self, request: Request, about: Call, change: patches.Change, warnings: tuple[str, ...]
    ) -> Response:
        main = msgspec.structs.replace(about, subresource="status")
        outcome = await self._objects.update(main, lambda old: approval.decided(old, change(old)))
        return _answer(request, outcome.obj, (*warnings, *outcome.warnings))

    async def _finalize(self, request: Request, about: Call) -> Response:
        doc, warnings = await requests.read_object(request, about)
        outcome = await self._objects.update(about, lambda _: doc)
        return _answer(request, outcome.obj, (*warnings, *outcome.warnings))

    async def _bind(self, request: Request, about: Call) -> Response:
        doc, _ = await requests.read_object(request, about)
        target = doc.get("target")
        node = target.get("name") if isinstance(target, dict) else None
        if not isinstance(node, str) or not node:
            raise errors.bad_request("target.name: Required value")
        main = msgspec.structs.replace(about, subresource="")

        def bound(old: Doc) -> Doc:
            if old["spec"].get("nodeName"):
                raise errors.conflict(
                    about.kind, about.name, f'pod {about.name} is already assigned to node "{old["spec"]["nodeName"]}"'
                )
            return {**old, "spec": {**old["spec"], "nodeName": node}}

        await self._objects.update(main, bound)
        return _answer(request, _DONE, code=201)

    async def _evict(self, request: Request, about: Call) -> Response:
        doc = await requests.optional_object(request)
        given = doc.get("deleteOptions")
        options = call.delete_options(given if isinstance(given, dict) else {}, {})
        main = msgspec.structs.replace(about, subresource="")
        await self._objects.delete(main, options)
        return _answer(request, _DONE, code=201)

    async def _token(self, request: Request, about: Call) -> Response:
        account = self._objects.get(about.kind, about.namespace, about.name)
        doc = await requests.optional_object(request)
        mint, find = self._options.mint, self._objects.store.get
        granted = reviews.token_request(doc, account, mint, find, self._objects.now())
        return _answer(request, granted, code=201)

    async def _measure(self, request: Request, about: Call) -> Response:
        """What pods and nodes use: of one, or of those that selectors choose."""
        of = pod.KIND if about.kind is usage.PODS else node.KIND
        options = reading.list_options(request.query_params)
        if about.name:
            objects = [self._objects.get(of, about.namespace, about.name)]
        else:
            entries = reading.page(self._objects.store, of, about.namespace or None, options).entries
            objects = [entry.object for entry in entries]
        now, measuring = self._objects.now(), self._options.node
        if of is pod.KIND:
            found = await measured.of_pods(measuring, objects, now)
        else:
            pods = self._objects.store.list(pod.KIND.resource, None)[0]
            found = await measured.of_nodes(measuring, objects, pods, now)
        if about.name and not found:
            raise errors.not_found(about.kind, about.name)
        return _answer(request, found[0] if about.name else measured.listed(about.kind.kind, found))

    async def _review(self, request: Request, about: Call) -> Response:
        doc, warnings = await requests.read_object(request, about)
        answer = reviews.answer(about, doc, self._options, self._objects.listed)
        return _answer(request, answer, warnings, code=201)


def _answer(request: Request, doc: Doc, warnings: tuple[str, ...] = (), *, code: int = 200) -> Response:
    form = accept.choose(request.headers.get("accept", ""), shapes=accept.OBJECTS)
    return answers.document(doc, code=code, form=form, warnings=warnings)
