"""The Scale of a workload: a small document that stands for its number of replicas. Source: autoscaling/v1."""

from typing import Any

from semafor.kube.api import errors
from semafor.kube.api.call import Call
from semafor.kube.api.rules.rules import at
from semafor.resources import errors as field_errors
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_SHOWN_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def of(kind: Kind, obj: Doc) -> Doc:
    """The Scale of an object: a Deployment, ReplicaSet or StatefulSet, or of a kind whose definition says where."""
    spec, status, selector = kind.scale
    chosen = at(obj, selector) if selector else None
    text = chosen if isinstance(chosen, str) else _text(chosen or {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _SHOWN_METADATA if key in obj["metadata"]},
        "spec": {"replicas": at(obj, spec) or 0},
        "status": {"replicas": at(obj, status) or 0} | ({"selector": text} if text else {}),
    }


def applied(about: Call, old: Doc, wanted: Doc) -> Doc:
    """The object with the replicas that a Scale asks for. Raises StatusError."""
    replicas = at(wanted, "spec.replicas")
    replicas = 0 if replicas is None else replicas
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise errors.bad_request('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
    if replicas < 0:
        wrong = field_errors.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid_scale(about.name, [wrong])
    version = at(wanted, "metadata.resourceVersion") or old["metadata"]["resourceVersion"]
    meta = {**old["metadata"], "resourceVersion": version}
    return _with({**old, "metadata": meta}, about.kind.scale[0].split("."), replicas)


def _with(doc: Doc, path: list[str], value: int) -> Doc:
    """The document with a value at a path."""
    first, *rest = path
    return {**doc, first: _with(doc.get(first) or {}, rest, value) if rest else value}


def _text(selector: Doc) -> str:
    """A label selector as text, `app=web,tier in (a,b)`."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for item in selector.get("matchExpressions") or []:
        key, operator, values = item.get("key", ""), item.get("operator", ""), ",".join(item.get("values") or [])
        parts.append({"Exists": key, "DoesNotExist": f"!{key}"}.get(operator, f"{key} {operator.lower()} ({values})"))
    return ",".join(parts)
