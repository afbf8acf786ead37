"""Which pod somebody means: `POD`, `POD.NAMESPACE`, `deploy/NAME`, or the name of what runs it."""

from typing import Any

from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.resources.apps import daemon_set, deployment, replica_set, stateful_set
from semafor.resources.core import namespace as namespaces
from semafor.resources.core import pod as pods
from semafor.resources.core import service
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_OWNERS: tuple[Kind, ...] = (
    deployment.KIND,
    stateful_set.KIND,
    daemon_set.KIND,
    replica_set.KIND,
    service.KIND,
)


def pod(api: Api, text: str, namespace: str = "default") -> Doc:
    """The pod, a ready one where several fit. Raises Failure when there is none."""
    return min(every(api, text, namespace), key=lambda each: (not _is_ready(each), each["metadata"]["name"]))


def every(api: Api, text: str, namespace: str = "default") -> list[Doc]:
    """All pods that are meant, at least one. Raises Failure when there is none."""
    word, slash, name = text.rpartition("/")
    name, namespace = named(api, name, namespace)
    kinds = [kind for kind in (pods.KIND, *_OWNERS) if not slash or word in words(kind)]
    if not kinds:
        raise Failure(f"{word} is no kind that has pods", "name a pod, or for example deploy/NAME")
    for kind in kinds:
        found = api.get(kind, name, namespace)
        chosen = [found] if found and kind is pods.KIND else _all_of(api, found, namespace)
        if chosen:
            return chosen
    what = (
        f"{kinds[0].kind.lower()} {name} with pods" if slash else f"pod {name}, and nothing else of this name with pods"
    )
    raise Failure(f"the namespace {namespace} has no {what}", "semafor kubectl get pods -A shows them all")


def named(api: Api, name: str, namespace: str) -> tuple[str, str]:
    """The name and its namespace: `name.namespace` where there is such a namespace."""
    own, dot, other = name.rpartition(".")
    if dot and api.get(namespaces.KIND, other):
        return own, other
    return name, namespace


def full_name(found: Doc) -> str:
    """`namespace/name`."""
    return f"{found['metadata']['namespace']}/{found['metadata']['name']}"


def words(kind: Kind) -> tuple[str, ...]:
    """What the kind may be called before a slash."""
    return (kind.singular, kind.plural, *kind.short, *(("deploy",) if kind is deployment.KIND else ()))


def _all_of(api: Api, owner: Doc | None, namespace: str) -> list[Doc]:
    """The pods of the owner, by its selector."""
    selector = (owner or {}).get("spec", {}).get("selector") or {}
    labels = selector.get("matchLabels") or ({} if "matchExpressions" in selector else selector)
    if not labels:
        return []
    wanted = ",".join(f"{name}={value}" for name, value in labels.items())
    return [each for each in api.objects(pods.KIND, namespace, wanted) if each.get("status", {}).get("podIP")]


def _is_ready(found: Doc) -> bool:
    conditions = found.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
