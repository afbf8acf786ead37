"""What a DELETE does to an object: end it now, or mark it and wait for whoever has a say. Source: apiserver's registry.

Pure: the object and the options in, the marked object or the verdict "remove" out.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from semafor.base import clock
from semafor.base.struct import Value
from semafor.kube.api import errors, metadata
from semafor.kube.api.call import DeleteOptions
from semafor.resources.kind import Kind

Doc = dict[str, Any]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_POLICY_FINALIZERS = {"Foreground": FOREGROUND, "Orphan": ORPHAN}
DEFAULT_GRACE_S = 30
MAX_GRACE_S = 2**31 - 1  # 68 years: what is longer would end beyond the calendar
_KEPT_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class Verdict(Value):
    """`remove` the object from the store, or else store `obj` (which may be the old one: nothing to do)."""

    obj: Doc
    remove: bool


def decide(kind: Kind, old: Doc, options: DeleteOptions, now: datetime) -> Verdict:
    """What becomes of the object. Raises StatusError for a failed precondition or a namespace that must stay."""
    _check(kind, old, options)
    marked = _with_policy(old, options.propagation)
    grace_s = _grace_s(kind, old, options)
    if "deletionTimestamp" in old["metadata"]:
        marked = _shortened(marked, grace_s, now)
    elif grace_s > 0 or held(kind, marked):
        marked = _marked(kind, marked, grace_s, now)
    if held(kind, marked) or grace_s > 0:
        return Verdict(obj=marked, remove=False)
    return Verdict(obj=marked, remove=True)


def complete(kind: Kind, obj: Doc) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and not meta.get("deletionGracePeriodSeconds") and not held(kind, obj)


def held(kind: Kind, obj: Doc) -> bool:
    """Whether a finalizer keeps the object."""
    spec_finalizers = obj.get("spec", {}).get("finalizers") if kind.resource == "namespaces" else None
    return bool(obj["metadata"].get("finalizers") or spec_finalizers)


def _check(kind: Kind, old: Doc, options: DeleteOptions) -> None:
    meta = old["metadata"]
    if options.uid is not None and options.uid != meta["uid"]:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise errors.deletion_conflict(kind, meta["name"], why)
    if options.resource_version is not None and options.resource_version != meta["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
            f"in record ({meta['resourceVersion']}). The object might have been modified"
        )
        raise errors.deletion_conflict(kind, meta["name"], why)
    if kind.resource == "namespaces" and meta["name"] in _KEPT_NAMESPACES:
        raise errors.forbidden(kind, meta["name"], "this namespace may not be deleted")


def _with_policy(old: Doc, policy: str) -> Doc:
    if not policy:
        return old
    finalizers = [item for item in old["metadata"].get("finalizers") or [] if item not in (FOREGROUND, ORPHAN)]
    if policy in _POLICY_FINALIZERS:
        finalizers.append(_POLICY_FINALIZERS[policy])
    if finalizers == (old["metadata"].get("finalizers") or []):
        return old
    return {**old, "metadata": {**old["metadata"], "finalizers": finalizers}}


def _grace_s(kind: Kind, old: Doc, options: DeleteOptions) -> int:
    """Only pods have time to say goodbye, and only those that a node may be running."""
    if kind.resource != "pods":
        return 0
    spec, status = old.get("spec", {}), old.get("status", {})
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    if options.grace_period_s is not None:
        return min(options.grace_period_s, MAX_GRACE_S)
    if "deletionTimestamp" in old["metadata"]:
        return int(old["metadata"].get("deletionGracePeriodSeconds") or 0)
    own_s = int(spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_S))
    return min(own_s, MAX_GRACE_S) if own_s >= 0 else 1  # a negative one counts as 1, as in Kubernetes


def _marked(kind: Kind, old: Doc, grace_s: int, now: datetime) -> Doc:
    deadline = clock.stamp(now + timedelta(seconds=grace_s))
    own = {} if kind.resource == "namespaces" else {"deletionGracePeriodSeconds": grace_s}
    meta = {**old["metadata"], "deletionTimestamp": deadline, **own}
    marked = metadata.bumped({**old, "metadata": meta}, old)
    if kind.resource == "namespaces":
        marked["status"] = {**old.get("status", {}), "phase": "Terminating"}
    return marked


def _shortened(old: Doc, grace_s: int, now: datetime) -> Doc:
    """A second DELETE may bring the end nearer, never put it off."""
    current_s = int(old["metadata"].get("deletionGracePeriodSeconds") or 0)
    if grace_s >= current_s:
        return old
    started = datetime.fromisoformat(old["metadata"]["deletionTimestamp"]) - timedelta(seconds=current_s)
    deadline = max(started + timedelta(seconds=grace_s), now.astimezone(UTC))
    meta = {**old["metadata"], "deletionTimestamp": clock.stamp(deadline), "deletionGracePeriodSeconds": grace_s}
    return {**old, "metadata": meta}
