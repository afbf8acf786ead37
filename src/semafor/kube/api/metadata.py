"""The part of an object that the API owns: names, identity, times, generation. Source: apiserver's registry/rest.

Pure: `now` and random parts are parameters; documents that come in are not changed.
"""

import random
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api import errors
from semafor.kube.api.call import Call
from semafor.resources import check
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind

Doc = dict[str, Any]

# Fields of metadata that no client can set.
_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
_KEPT = (*_OWNED, "name", "namespace", "generateName")
_NOTHING_WHEN_EMPTY = frozenset({"labels", "annotations", "finalizers", "ownerReferences"})
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # Kubernetes': no vowels, so no words
_MAX_GENERATED_BASE = 58  # a label's 63 characters less the suffix
_COUNTED_GROUPS = {
    "apps",
    "batch",
    "networking.k8s.io",
    "discovery.k8s.io",
    "policy",
    "apiextensions.k8s.io",
    "admissionregistration.k8s.io",
}


def suffix(source: random.Random) -> str:
    """Five letters for a generated name."""
    return "".join(source.choices(_SUFFIX_LETTERS, k=5))


def check_identity(call: Call, doc: Doc, *, is_update: bool = False) -> None:
    """The document must be of the kind, and in the place, that the URL names. Raises StatusError 400."""
    if doc.get("kind", call.kind.kind) != call.kind.kind:
        raise errors.bad_request(
            f"the kind in the data ({doc['kind']}) does not match the expected kind ({call.kind.kind})"
        )
    versions = {call.kind.api_version(version) for version in call.kind.versions}
    if doc.get("apiVersion", call.api_version) not in versions:
        raise errors.bad_request(
            f"the API version in the data ({doc['apiVersion']}) does not match the expected API version "
            f"({call.api_version})"
        )
    meta = doc.get("metadata") or {}
    if call.kind.namespaced and meta.get("namespace", call.namespace) not in ("", call.namespace):
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if call.name and is_update and not meta.get("name"):
        raise errors.bad_request(
            f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        )
    if call.name and meta.get("name", call.name) != call.name:
        raise errors.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({call.name})"
        )


def for_create(call: Call, doc: Doc, *, now: datetime, uid: str, tail: str) -> Doc:
    """The object that a create asks for, with what the API adds. `tail` completes a generated name.

    Raises StatusError for a version, and 422 with everything that is wrong when there is no name.
    """
    given = doc.get("metadata") or {}
    if given.get("resourceVersion"):
        raise errors.bad_request("resourceVersion should not be set on objects to be created")
    meta = {key: value for key, value in given.items() if key not in (*_OWNED, "resourceVersion", "namespace")}
    if call.name:
        meta["name"] = call.name
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta["generateName"][:_MAX_GENERATED_BASE] + tail
    if call.kind.namespaced:
        meta["namespace"] = call.namespace
    meta |= {"uid": uid, "creationTimestamp": clock.stamp(now)}
    if counted(call.kind):
        meta["generation"] = 1
    made = _assembled(call.kind, doc, meta, without_status="status" in call.kind.subresources)
    if not (meta.get("name") or call.kind.default_name):  # nothing after this could say what it speaks of
        raise errors.invalid(call.kind, "", check.check(call.kind, call.kind.defaults(made)).errors)
    return made


def for_update(call: Call, doc: Doc, old: Doc) -> Doc:
    """The object that an update asks for: its own parts from the client, the API's parts as they were."""
    check_preconditions(call.kind, doc, old)
    if call.subresource == "status":
        return _with_managed({**old, "status": doc.get("status", {})}, doc)
    if call.subresource == "finalize":
        return {**old, "spec": doc.get("spec", {})}
    meta = {key: value for key, value in (doc.get("metadata") or {}).items() if key not in (*_KEPT, "resourceVersion")}
    meta |= {key: old["metadata"][key] for key in (*_KEPT, "resourceVersion") if key in old["metadata"]}
    new = _assembled(call.kind, doc, meta, without_status="status" in call.kind.subresources)
    if "status" in call.kind.subresources and "status" in old:
        new["status"] = old["status"]
    if call.kind.resource == "namespaces":
        new["spec"] = old.get("spec", {})  # its finalizers are the business of the subresource `finalize`
    return new


def _assembled(kind: Kind, doc: Doc, meta: Doc, *, without_status: bool) -> Doc:
    meta = {key: value for key, value in meta.items() if value or key not in _NOTHING_WHEN_EMPTY}
    dropped = {"apiVersion", "kind", "metadata"} | ({"status"} if without_status else set())
    rest = {key: value for key, value in doc.items() if key not in dropped}
    return {"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": meta, **rest}


def _with_managed(new: Doc, doc: Doc) -> Doc:
    managed = (doc.get("metadata") or {}).get("managedFields")
    return {**new, "metadata": {**new["metadata"], "managedFields": managed}} if managed else new


def check_preconditions(kind: Kind, doc: Doc, old: Doc) -> None:
    """A uid or version in the document must be the stored one. Raises StatusError 409."""
    given, stored = doc.get("metadata") or {}, old["metadata"]
    if given.get("uid") and given["uid"] != stored["uid"]:
        why = f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta: {stored['uid']}"
        raise errors.conflict(kind, stored["name"], why)
    if given.get("resourceVersion") and given["resourceVersion"] != stored["resourceVersion"]:
        raise errors.conflict(kind, stored["name"])


def update_errors(new: Doc, old: Doc) -> list[FieldError]:
    """Rules of metadata that compare two states of an object. Who ends gets no further finalizers."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    before = old["metadata"].get("finalizers") or []
    added = [item for item in new["metadata"].get("finalizers") or [] if item not in before]
    if not added:
        return []
    shown = ", ".join(f'"{item}"' for item in added)
    message = (
        "Forbidden: no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{shown}}}"
    )
    return [FieldError(path="metadata.finalizers", reason="FieldValueForbidden", message=message)]


def counted(kind: Kind) -> bool:
    """Whether objects of the kind have metadata.generation."""
    return kind.custom or kind.group in _COUNTED_GROUPS or kind.resource == "pods"


def with_generation(kind: Kind, new: Doc, old: Doc) -> Doc:
    """Count a change of anything but metadata and (where it is a subresource) status."""
    if not counted(kind) or wanted(kind, new) == wanted(kind, old):
        return new
    return bumped(new, old)


def bumped(new: Doc, old: Doc) -> Doc:
    """With the generation one above the old object's, where it has one."""
    generation = old["metadata"].get("generation")
    return {**new, "metadata": {**new["metadata"], "generation": generation + 1}} if generation else new


def wanted(kind: Kind, doc: Doc) -> Doc:
    """What the user wants: everything but identity and observed state."""
    skipped = {"apiVersion", "kind", "metadata"} | ({"status"} if "status" in kind.subresources else set())
    return {key: value for key, value in doc.items() if key not in skipped}


def same(new: Doc, old: Doc) -> bool:
    """Whether a write would change nothing but the times and the version."""
    return _essence(new) == _essence(old)


def _essence(doc: Doc) -> Doc:
    meta = {key: value for key, value in doc["metadata"].items() if key not in ("resourceVersion", "managedFields")}
    managers = [{**entry, "time": ""} for entry in doc["metadata"].get("managedFields") or []]
    return {**doc, "metadata": meta, "managers": managers}
