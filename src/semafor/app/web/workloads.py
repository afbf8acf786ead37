"""Workloads: what runs pods, and how its pods are. Read off objects; pure but for the reading."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from semafor.app import inject, proxies
from semafor.kube.store import Store

Doc = dict[str, Any]
Key = tuple[str, str]

_OWNERS = {"Deployment": "deployments.apps", "StatefulSet": "statefulsets.apps", "DaemonSet": "daemonsets.apps"}
_ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class Workload:
    """Something that runs pods, under the name by which metrics know it."""

    namespace: str
    name: str
    kind: str
    labels: Mapping[str, str]
    wanted: int
    pods: tuple[Doc, ...]

    @property
    def key(self) -> Key:
        return (self.namespace, self.name)

    @property
    def app(self) -> str:
        """The canonical service: what `source_canonical_service` says in metrics."""
        names = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
        return next((self.labels[name] for name in names if name in self.labels), self.name)

    @property
    def version(self) -> str:
        names = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
        return next((self.labels[name] for name in names if name in self.labels), "latest")

    @property
    def ready(self) -> int:
        return sum(is_ready(pod) for pod in self.pods)

    @property
    def meshed(self) -> bool:
        """Whether every pod has a proxy (a gateway is one)."""
        return bool(self.pods) and all(proxies.role(pod) for pod in self.pods)

    @property
    def is_proxy(self) -> bool:
        return any(proxies.role(pod) in ("router", "discovery") for pod in self.pods)

    @property
    def health(self) -> str:
        """`ok`, `degraded` (some pods are missing), `down` (all are), or `idle` (none is wanted)."""
        if not self.wanted:
            return "idle"
        if self.ready >= self.wanted:
            return "ok"
        return "degraded" if self.ready else "down"

    @property
    def document(self) -> Doc:
        """As the page is told."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "kind": self.kind,
            "app": self.app,
            "version": self.version,
            "ready": self.ready,
            "wanted": self.wanted,
            "health": self.health,
            "meshed": self.meshed,
            "proxy": self.is_proxy,
        }


def is_ready(pod: Doc) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def restarts(pod: Doc) -> int:
    return sum(each.get("restartCount", 0) for each in (pod.get("status") or {}).get("containerStatuses") or ())


def found(store: Store) -> list[Workload]:
    """All workloads by namespace and name: of Deployments and the like, and pods that stand alone."""
    owned: dict[Key, list[Doc]] = {}
    alone: list[Doc] = []
    parents = {_key(each): _owner(each) for each in store.list("replicasets.apps")[0]}
    for pod in store.list("pods")[0]:
        if (pod.get("status") or {}).get("phase") in _ENDED:
            continue
        owner = _workload_of(pod, parents)
        if owner is None:
            alone.append(pod)
        else:
            owned.setdefault((pod["metadata"]["namespace"], owner), []).append(pod)
    made = [*_controlled(store, owned), *(_alone(pod) for pod in alone)]
    return sorted(made, key=lambda each: each.key)


def _controlled(store: Store, owned: Mapping[Key, list[Doc]]) -> Iterator[Workload]:
    for kind, resource in _OWNERS.items():
        for obj in store.list(resource)[0]:
            key = _key(obj)
            template = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
            pods = owned.get(key, [])
            labels = (pods[-1]["metadata"].get("labels") or {}) if pods else template
            wanted = obj["spec"].get("replicas", 1)
            if kind == "DaemonSet":
                wanted = (obj.get("status") or {}).get("desiredNumberScheduled", len(pods))
            yield Workload(*key, kind=kind, labels=labels, wanted=wanted, pods=tuple(pods))


def _alone(pod: Doc) -> Workload:
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    return Workload(metadata["namespace"], metadata["name"], kind="Pod", labels=labels, wanted=1, pods=(pod,))


def _workload_of(pod: Doc, parents: Mapping[Key, Doc | None]) -> str | None:
    """The name of what runs the pod; None when nothing that is listed does."""
    owner = _owner(pod)
    if owner is not None and owner["kind"] == "ReplicaSet":
        owner = parents.get((pod["metadata"]["namespace"], owner["name"]))
    return owner["name"] if owner is not None and owner["kind"] in _OWNERS else None


def _owner(obj: Doc) -> Doc | None:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((each for each in owners if each.get("controller")), None)


def _key(obj: Doc) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def services_of(labels: Mapping[str, str], namespace: str, services: Iterable[Doc]) -> list[str]:
    """The names of the Services that select pods with these labels."""
    return [
        each["metadata"]["name"]
        for each in services
        if each["metadata"]["namespace"] == namespace
        and (selector := each["spec"].get("selector"))
        and selector.items() <= labels.items()
    ]


def containers(pod: Doc) -> list[str]:
    """The names of the containers that have a log, the app's first."""
    spec = pod["spec"]
    own = [each["name"] for each in spec["containers"]]
    first = [each["name"] for each in spec.get("initContainers") or ()]
    return [*own, *sorted(first, key=lambda name: name != inject.CONTAINER)]
