"""What would be different if these objects were applied, or deleted? Planned twice and compared; nothing is changed."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from semafor import explain, planner, resources
from semafor.app import inbox
from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.base.problem import ObjectRef
from semafor.base.struct import Document, Value
from semafor.explain import Change
from semafor.kube.api.errors import StatusError
from semafor.planner.tables import BY_KIND
from semafor.resources import registry

Doc = dict[str, Any]
MOST: Final = 500  # objects in one question


class Question(Value):
    """The objects as they would be after an apply, and those that would be gone."""

    objects: tuple[Doc, ...] = ()
    gone: tuple[Doc, ...] = ()


class Group(Value):
    """Proxies, `namespace/name` of their pods, for which the same changes."""

    proxies: tuple[str, ...]
    changes: tuple[Change, ...]


class Difference(Value):
    """What changes for whom, and the warnings that come and go with it. `proxies` is how many there are."""

    groups: tuple[Group, ...]
    proxies: int
    new_problems: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


def parse(body: bytes) -> Question:
    try:
        question = msgspec.json.decode(body, type=Question)
    except msgspec.MsgspecError as error:
        raise StatusError(400, "BadRequest", f"the question is not understood: {error}") from error
    if len(question.objects) + len(question.gone) > MOST:
        raise StatusError(400, "BadRequest", f"at most {MOST} objects can be compared at a time")
    return question


async def answer(pipeline: Pipeline, fleet: Fleet, question: Question) -> Difference:
    """Compare the mesh as it is with what it would be. Raises StatusError."""
    changes: dict[ObjectRef, Document | None] = {}
    for document in question.objects:
        ref, view = _read(document, decode=True)
        if ref is not None:
            changes[ref] = view
    for document in question.gone:
        ref, _ = _read(document, decode=False)
        if ref is not None:
            changes[ref] = None
    now, then = pipeline.mesh, pipeline.imagined(changes)
    groups: dict[tuple[Change, ...], list[str]] = {}
    proxies = fleet.all()
    for name, proxy in proxies.items():
        found = explain.compare(planner.plan(now, proxy)[0], planner.plan(then, proxy)[0])
        if found:
            groups.setdefault(found, []).append(name)
        await asyncio.sleep(0)  # the mesh goes on meanwhile
    before, after = ({str(each) for each in planner.check(mesh)} for mesh in (now, then))
    return Difference(
        groups=tuple(Group(tuple(sorted(names)), found) for found, names in groups.items()),
        proxies=len(proxies),
        new_problems=tuple(sorted(after - before)),
        mended=tuple(sorted(before - after)),
    )


def _read(document: Doc, *, decode: bool) -> tuple[ObjectRef | None, Document | None]:
    """The object and its view; None for kinds that plans do not depend on."""
    try:
        group = str(document["apiVersion"]).rpartition("/")[0]
        kind = registry.by_kind(group, str(document["kind"]))
        if kind is None or (kind.group, kind.kind) not in BY_KIND:
            return None, None
        ref = inbox.reference(kind, document)
        return ref, resources.decode(kind, resources.default(kind, document)) if decode else None
    except (KeyError, TypeError) as error:
        raise StatusError(400, "BadRequest", f"an object lacks {error}") from error
    except resources.DecodeError as error:
        raise StatusError(422, "Invalid", str(error)) from error


def words(groups: Iterable[Group], total: int) -> Iterable[str]:
    """The differences as lines of text, for people."""
    for group in groups:
        yield f"{len(group.proxies)} of {total} proxies: {_names(group.proxies)}"
        for change in group.changes:
            by = f"   by {', '.join(map(str, change.of))}" if change.of and change.part != "routes of" else ""
            yield f"  {change.how} {change.part} {change.name}".rstrip() + by
            yield from (f"    {line}" for line in change.lines)


_SHOWN = 6


def _names(proxies: tuple[str, ...]) -> str:
    more = f" and {len(proxies) - _SHOWN} more" if len(proxies) > _SHOWN else ""
    return ", ".join(proxies[:_SHOWN]) + more
