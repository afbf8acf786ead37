"""Follows one kind: a list, then a watch from there on, for ever.

    list ──▶ replace ──▶ watch ──▶ change, change, ... ──┐
     ▲                     ▲         connection lost ◀───┤ go on from the last version
     └──── 410 Gone ───────┴────────────────────────────┘

Source: Kubernetes' page "API Concepts", efficient detection of changes; client-go's Reflector.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from typing import Any, Final, Protocol

from semafor.base.status_error import StatusError
from semafor.cluster import api
from semafor.cluster.api import Api
from semafor.resources.kind import Kind

log = logging.getLogger(__name__)

Doc = dict[str, Any]
_PAGE: Final = 500  # objects in one answer, so that no answer is held whole
_WATCH_S: Final = (300, 600)  # the server ends a watch after this long, so that clients spread over servers
_SILENCE_S: Final = 660.0  # a watch on which nothing came for longer than it may last hangs
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 30.0
_GONE: Final = 410
_NOT_FOUND: Final = 404


class Sink(Protocol):
    """Takes what a reflector tells."""

    def replace(self, objects: list[Doc]) -> None:
        """This is everything there is."""

    def change(self, type_: str, obj: Doc) -> None:
        """ADDED, MODIFIED or DELETED."""


class Reflector:
    """`trim` takes from an object what nobody asks for. `served` is the version of the kind that the server has."""

    def __init__(self, server: Api, kind: Kind, sink: Sink, trim: Callable[[Doc], Doc]) -> None:
        self.served = kind.versions[0]
        self._api = server
        self._kind = kind
        self._sink = sink
        self._trim = trim
        self._version = ""
        self._failures = 0
        self._is_missing = False

    async def run(self) -> None:
        """Follow, for ever."""
        while True:
            try:
                if not self._version:
                    await self._list()
                    self._failures = 0
                await self._watch()
                self._failures = 0
            except StatusError as error:
                self._take_refusal(error)
                await asyncio.sleep(self._wait_s())

    async def _list(self) -> None:
        found: list[Doc] = []
        more = ""
        while True:
            params = {"limit": str(_PAGE)} | ({"continue": more} if more else {})
            page = await self._page(params)
            head = {
                "apiVersion": self._kind.api_version(self.served),
                "kind": self._kind.kind,
            }  # items of lists have none
            found += [self._trim(head | each) for each in page.get("items") or ()]
            more = page["metadata"].get("continue", "")
            if not more:
                break
        self._is_missing = False
        self._sink.replace(found)
        self._version = page["metadata"]["resourceVersion"]

    async def _page(self, params: dict[str, str]) -> Doc:
        """Of the first of the kind's versions that the server has."""
        for version in (self.served, *self._kind.versions):
            try:
                page = await self._api.get(api.path(self._kind, version=version), params)
            except StatusError as error:
                if error.code != _NOT_FOUND:
                    raise
                continue
            self.served = version
            return page
        raise StatusError(_NOT_FOUND, "NotFound", f"the cluster has no {self._kind.resource}")

    async def _watch(self) -> None:
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(random.randint(*_WATCH_S)),  # noqa: S311 no secret
        }
        where = api.path(self._kind, version=self.served)
        async for line in self._api.lines(where, params, silence_s=_SILENCE_S):
            self._take(json.loads(line))

    def _take(self, event: Doc) -> None:
        type_, obj = event["type"], event["object"]
        if type_ == "ERROR":
            raise StatusError(obj.get("code", 500), obj.get("reason", ""), obj.get("message", ""))
        self._version = obj["metadata"]["resourceVersion"]
        self._failures = 0
        if type_ != "BOOKMARK":
            self._sink.change(type_, self._trim(obj))

    def _take_refusal(self, error: StatusError) -> None:
        self._failures += 1
        if error.code == _GONE:
            self._version = ""
            self._failures = 0  # nothing is wrong, it was only too long ago
        elif error.code == _NOT_FOUND:
            if not self._is_missing:
                log.info("the cluster has no %s; they are looked for now and then", self._kind.resource)
            self._is_missing, self._version = True, ""
            self._sink.replace([])
        else:
            log.warning("%s: %s", self._kind.resource, error)

    def _wait_s(self) -> float:
        """Longer after each failure, and not the same for all, so that a server that comes back is not overrun."""
        longest = _LONGEST_WAIT_S if self._is_missing else min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**self._failures)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 no secret
