"""Watches: what a client has seen, and the lines that bring it up to date, for as long as it stays."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from semafor.kube import store
from semafor.kube.api import errors, reading
from semafor.kube.api.reading import ListOptions
from semafor.kube.api.views import View
from semafor.kube.store import Event, Store

Doc = dict[str, Any]
Matches = Callable[[Doc], bool] | None

BOOKMARK_EVERY_S = 60.0  # as kube-apiserver
_SHORTEST_S, _LONGEST_S = (
    1800.0,
    3600.0,
)  # a watch without a timeout ends somewhere between, so that not all end at once


def start(backing: Store, view: View, namespace: str | None, options: ListOptions) -> AsyncIterator[bytes]:
    """The chunks of a watch, whole lines of JSON. Raises StatusError before the first one when it cannot begin."""
    _check(backing, options)
    matches = reading.matcher(view.kind, options)
    initial = options.initial_events or options.resource_version in ("", "0")
    since = backing.resource_version if initial else int(options.resource_version)
    try:
        cursor = backing.watch(view.kind.resource, since, namespace)
    except store.Expired as error:
        raise errors.gone(str(error)) from None
    present = backing.list(view.kind.resource, namespace)[0] if initial else []
    first = b"".join(view.event("ADDED", obj) for obj in present if matches is None or matches(obj))
    if options.initial_events and options.bookmarks:
        first += view.bookmark(since, initial_end=True)
    return _lines(backing, cursor, view, options, first, matches)


def _check(backing: Store, options: ListOptions) -> None:
    asked, current = int(options.resource_version or 0), backing.resource_version
    if asked > current:
        raise errors.too_new(asked, current)


async def _lines(
    backing: Store, cursor: store.Watch, view: View, options: ListOptions, first: bytes, matches: Matches
) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    lasts_s = options.timeout_s or random.uniform(_SHORTEST_S, _LONGEST_S)  # noqa: S311 - spreads load only
    end = clock() + lasts_s
    if first:
        yield first
    try:
        while (left_s := end - clock()) > 0:
            chunk = await _next(cursor, view, matches, min(left_s, BOOKMARK_EVERY_S))
            if not chunk and options.bookmarks:
                chunk = view.bookmark(backing.resource_version)
            if chunk:
                yield chunk
    except store.Expired as error:
        status = errors.gone(str(error)).status
        yield msgspec.json.encode({"type": "ERROR", "object": status}) + b"\n"


async def _next(cursor: store.Watch, view: View, matches: Matches, wait_s: float) -> bytes:
    """The lines of the next changes, nothing when there were none in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await cursor.wait()
    return b"".join(line for event in cursor.ready() for line in _shown(event, view, matches))


def _shown(event: Event, view: View, matches: Matches) -> Iterator[bytes]:
    """A change, as somebody sees it who knows only what matches: objects enter and leave the selection."""
    if matches is None:
        yield _plain(event, view)
        return
    now = event.type != "DELETED" and matches(event.object)
    before = event.previous is not None and matches(event.previous)
    if now:
        yield view.event("MODIFIED" if before else "ADDED", event.object)
    elif before:
        yield view.event("DELETED", _last_seen(event))


def _plain(event: Event, view: View) -> bytes:
    if view.plain:
        return b'{"type":"' + event.type.encode() + b'","object":' + event.body + b"}\n"
    return view.event(event.type, event.object)


def _last_seen(event: Event) -> Doc:
    """The object as it last matched, at the version of the change that took it away."""
    if event.type == "DELETED" or event.previous is None:
        return event.object
    return {
        **event.previous,
        "metadata": {**event.previous["metadata"], "resourceVersion": str(event.resource_version)},
    }
