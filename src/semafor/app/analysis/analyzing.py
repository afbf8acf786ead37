"""Everything that is wrong with objects: with their fields, between them, and around them."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from semafor import planner, resources
from semafor.app.analysis import (
    annotation_checks,
    codes,
    hygiene,
    message,
    pair_checks,
    policy_checks,
    rule_checks,
    service_checks,
    status_checks,
)
from semafor.app.analysis.message import Message
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import World
from semafor.base.problem import ObjectRef
from semafor.planner import Mesh, Options
from semafor.planner.tables import BY_KIND, Object
from semafor.resources import registry
from semafor.resources.check import check
from semafor.resources.errors import DecodeError
from semafor.resources.kind import Kind

Doc = dict[str, Any]
# Of all objects together, and of each by itself.
_CHECKS = (policy_checks.messages, service_checks.messages, rule_checks.messages, pair_checks.messages)
_CHECKS_OF_ONE = (annotation_checks.messages, status_checks.messages)
_SUPPRESS = "galley.istio.io/analyze-suppress"  # Istio's annotation: codes that are not to be told of an object
Key = tuple[str, str, str, str]  # group, kind, namespace, name

# What depends on pods that run, which files do not tell of.
_OF_THE_MOMENT = frozenset({"SubsetNotLive", "Held", "NoInstances", "KeysUnavailable", "NameNotResolved", "NoPods"})


def analyze(
    sources: Iterable[Source], live: Iterable[Doc] = (), *, options: Options, namespace: str, is_live: bool
) -> tuple[Message, ...]:
    """The messages about the sources, and (`is_live`) about what lives in the mesh beside them, the gravest first.

    An object of a file stands in place of the living one. `namespace` is where objects are that name none.
    """
    given = {_key(each): each for each in (placed(source, namespace) for source in sources)}
    living = {key_of(document): Source(document=document, file="") for document in live}
    every = {**living, **given}
    found = [
        *(told for source in given.values() for told in validate(source)),
        *_between(every, options, is_live=is_live),
        *hygiene.messages(tuple(every.values()), is_live=is_live),
        *(told for check in _CHECKS for told in check(World(tuple(every.values()), is_live=is_live))),
        *(told for source in every.values() for check in _CHECKS_OF_ONE for told in check(source)),
    ]
    suppressed = {ref_of(each.document): _suppressed(each.document) for each in every.values()}
    wanted = (each for each in dict.fromkeys(found) if not {each.code, "*"} & suppressed.get(each.ref, frozenset()))
    return tuple(sorted(wanted, key=_order))


def _suppressed(document: Doc) -> frozenset[str]:
    annotations = (document.get("metadata") or {}).get("annotations") or {}
    return frozenset(each.strip() for each in str(annotations.get(_SUPPRESS, "")).split(","))


def validate(source: Source) -> Iterator[Message]:
    """What is wrong with the fields of one document."""
    kind = _kind(source.document)
    if kind is None:
        return
    report, ref = check(kind, source.document), ref_of(source.document)
    for error in report.errors:
        yield Message(codes.SCHEMA, "Error", ref, str(error), source.place(error.path))
    for path in report.unknown:
        yield Message(codes.SCHEMA, "Error", ref, f'unknown field "{path}"', source.place(path))
    for warning in report.warnings:
        yield Message(codes.SCHEMA_WARNING, "Warning", ref, warning, source.place(warning.partition(":")[0]))


def _between(every: dict[Key, Source], options: Options, *, is_live: bool) -> Iterator[Message]:
    """What the planner's checker finds, which looks at all objects together."""
    sources = {ref_of(each.document): each for each in every.values()}
    objects = [one for each in every.values() if (one := _decoded(each.document)) is not None]
    problems = planner.check(Mesh.of(cast("list[Object]", objects), options))
    unreachable: dict[ObjectRef, list[str]] = {}
    for each in problems:
        if codes.of(each) == codes.UNREACHABLE:
            unreachable.setdefault(each.ref, []).append(each.path)
    for problem in problems:
        source = sources.get(problem.ref)
        document = source.document if source else {}
        if is_live or problem.reason not in _OF_THE_MOMENT:
            code, place = codes.of(problem, document), source.place(problem.path) if source and source.file else ""
            if problem.path in codes.ineffective(unreachable.get(problem.ref, ()), document.get("spec") or {}):
                code = codes.INEFFECTIVE
            yield message.of(problem, code, codes.level(problem, code), place)


def _decoded(document: Doc) -> Any:
    """The typed view of a kind that the planner reads; None where it has none, or cannot be read."""
    kind = _kind(document)
    if kind is None or (kind.group, kind.kind) not in BY_KIND:
        return None
    try:
        return resources.decode(kind, resources.default(kind, document))
    except DecodeError:
        return None  # the check of its fields says why


def _kind(document: Doc) -> Kind | None:
    return registry.by_kind(str(document["apiVersion"]).rpartition("/")[0], str(document["kind"]))


def placed(source: Source, namespace: str) -> Source:
    """The document with the namespace that it goes to."""
    kind, metadata = _kind(source.document), source.document.get("metadata") or {}
    if kind is None or not kind.namespaced or metadata.get("namespace"):
        return source
    document = {**source.document, "metadata": {**metadata, "namespace": namespace}}
    return Source(document=document, file=source.file, line=source.line, lines=source.lines)


def _key(source: Source) -> Key:
    return key_of(source.document)


def key_of(document: Doc) -> Key:
    ref = ref_of(document)
    return (ref.group, ref.kind, ref.namespace, ref.name)


def ref_of(document: Doc) -> ObjectRef:
    metadata = document.get("metadata") or {}
    return ObjectRef(
        kind=str(document["kind"]),
        name=str(metadata.get("name", "")),
        namespace=str(metadata.get("namespace", "")),
        group=str(document["apiVersion"]).rpartition("/")[0],
    )


def _order(told: Message) -> tuple[int, str, str, str]:
    return (-message.LEVELS.index(told.level), str(told.ref), told.code, told.text)
