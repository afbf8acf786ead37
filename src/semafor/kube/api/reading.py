"""Which objects a list or a watch is about: selectors, pages, versions. Pure over a view of the store."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from semafor.base.struct import Value
from semafor.kube.api import call as calls
from semafor.kube.api import errors, selectors
from semafor.kube.api.rules.rules import at
from semafor.kube.store import Store
from semafor.kube.store.store import Entry
from semafor.resources.errors import FieldError, forbidden, invalid, not_supported
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_EVERYWHERE = ("metadata.name", "metadata.namespace")
# What `--field-selector` may name beside that. Source: the conversion functions of kube-apiserver's groups.
_SELECTABLE: dict[str, tuple[str, ...]] = {
    "certificatesigningrequests.certificates.k8s.io": ("spec.signerName",),
    "events": (
        *(f"involvedObject.{part}" for part in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")),
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "type",
    ),
    "jobs.batch": ("status.successful",),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "pods": (
        *(
            f"spec.{part}"
            for part in ("nodeName", "restartPolicy", "schedulerName", "serviceAccountName", "hostNetwork")
        ),
        *(f"status.{part}" for part in ("phase", "podIP", "nominatedNodeName")),
    ),
    "replicasets.apps": ("status.replicas",),
    "replicationcontrollers": ("status.replicas",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
}


_Match = Literal["", "Exact", "NotOlderThan"]


class ListOptions(Value):
    """The query of a list or a watch. `resource_version` is as the client wrote it: "", "0" or a version."""

    labels: str = ""
    fields: str = ""
    limit: int = 0
    continue_at: str = ""
    resource_version: str = ""
    match: _Match = ""
    watch: bool = False
    bookmarks: bool = False
    initial_events: bool = False
    timeout_s: int | None = None


def list_options(query: Mapping[str, str]) -> ListOptions:
    """Read the query. Raises StatusError 400."""
    how = _match(query)
    _check_version(query)
    return ListOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=max(calls.number(query, "limit") or 0, 0),
        continue_at=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        match=how,
        watch=calls.flag(query, "watch"),
        bookmarks=calls.flag(query, "allowWatchBookmarks"),
        initial_events=calls.flag(query, "sendInitialEvents"),
        timeout_s=calls.number(query, "timeoutSeconds"),
    )


_MATCHES: tuple[_Match, ...] = ("", "Exact", "NotOlderThan")


def _match(query: Mapping[str, str]) -> _Match:
    """`resourceVersionMatch`, which goes with some other parameters only. Raises StatusError 422."""
    path, version = "resourceVersionMatch", query.get("resourceVersion", "")
    how = next((each for each in _MATCHES if each == query.get(path, "")), None)
    if calls.flag(query, "sendInitialEvents"):
        if how != "NotOlderThan":
            raise _wrong(forbidden(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
        return how
    if how is None:
        raise _wrong(not_supported(path, query[path], _MATCHES))
    if how and query.get("continue"):
        raise _wrong(forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
    if how and not version:
        raise _wrong(forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if how == "Exact" and version == "0":
        raise _wrong(forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return how


def _wrong(error: FieldError) -> errors.StatusError:
    return errors.wrong_option("ListOptions", error)


def _check_version(query: Mapping[str, str]) -> None:
    """Raises StatusError 400 for a version that is no number, or that a later page would have of its own."""
    version = query.get("resourceVersion", "")
    if version and not version.isdecimal():
        wrong = invalid("resourceVersion", version, f'strconv.ParseUint: parsing "{version}": invalid syntax')
        raise errors.bad_request(f"invalid resource version: {wrong}")
    if version not in ("", "0") and query.get("continue"):
        raise errors.bad_request("specifying resource version is not allowed when using continue")


def matcher(kind: Kind, options: ListOptions) -> Callable[[Doc], bool] | None:
    """The predicate of both selectors, None when everything matches. Raises StatusError 400."""
    labels = selectors.parse_labels(options.labels)
    terms = selectors.parse_fields(options.fields)
    if not labels.requirements and not terms:
        return None
    by_field = selectors.field_filter(terms, selectable(kind))

    def matches(obj: Doc) -> bool:
        return labels.matches(obj["metadata"].get("labels") or {}) and by_field(obj)

    return matches


def selectable(kind: Kind) -> selectors.Fields:
    """The fields that a field selector may name, and how to read them."""
    paths = (*_EVERYWHERE, *_SELECTABLE.get(kind.resource, ()))
    found = {path: _reader(path) for path in paths}
    if kind.resource == "events":
        found["source"] = lambda obj: at(obj, "source.component") or obj.get("reportingComponent", "")
    return found


def _reader(path: str) -> Callable[[Doc], str]:
    def read(obj: Doc) -> str:
        value = at(obj, path)
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    return read


class Page(Value):
    """Part of a list. `remaining` objects follow, from `continue_at` on; without selectors their number is exact."""

    entries: Sequence[Entry]
    version: int
    continue_at: str = ""
    remaining: int | None = None


def page(view: Store, kind: Kind, namespace: str | None, options: ListOptions) -> Page:
    """The objects that the options ask for. Raises StatusError 400, 410 or 504.

    A later page shows the present state from its key on, under the version of the first page: a watch from there
    brings a client to the same end as a frozen view would, and nothing has to be kept.
    """
    check_version(view, options)
    entries = view.entries(kind.resource, namespace)
    version, start = view.resource_version, None
    if options.continue_at:
        version, start = _decoded(view, kind, options.continue_at)
        entries = [entry for entry in entries if _key(entry) > start]
    if matches := matcher(kind, options):
        entries = [entry for entry in entries if matches(entry.object)]
    if not options.limit or len(entries) <= options.limit:
        return Page(entries=entries, version=version)
    rest = len(entries) - options.limit
    entries = entries[: options.limit]
    token = _encoded(version, _key(entries[-1]))
    return Page(entries=entries, version=version, continue_at=token, remaining=None if matches else rest)


def check_version(view: Store, options: ListOptions) -> None:
    """Refuse versions of the future, and exact ones of the past, which are not kept. Raises StatusError."""
    asked, current = int(options.resource_version or 0), view.resource_version
    if asked > current:
        raise errors.too_new(asked, current)
    if options.match == "Exact" and asked != current:
        raise errors.gone(f"The resourceVersion for the provided list is too old: {asked} ({current}).")


def _key(entry: Entry) -> list[str]:
    meta = entry.object["metadata"]
    return [meta.get("namespace", ""), meta["name"]]


def _encoded(version: int, key: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps({"v": version, "k": key}).encode()).decode().rstrip("=")


def _decoded(view: Store, kind: Kind, token: str) -> tuple[int, list[str]]:
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, key = int(value["v"]), [str(part) for part in value["k"]]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise errors.bad_request("continue key is not valid") from None
    if not view.reaches(kind.resource, version):
        raise errors.gone(
            "The provided continue parameter is too old to display a consistent list result. "
            "You can start a new list without the continue parameter."
        )
    return version, key
