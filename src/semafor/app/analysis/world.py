"""All objects that are looked at together, by kind, as documents."""

from collections.abc import Iterator, Mapping
from typing import Any

from semafor.app.analysis.message import Level, Message
from semafor.app.analysis.reading import Source
from semafor.base.names import CLUSTER_DOMAIN
from semafor.base.problem import ObjectRef

Doc = dict[str, Any]
TEMPLATED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


class World:
    """The sources. `is_live`: what is not among them does not exist."""

    def __init__(self, sources: tuple[Source, ...], *, is_live: bool) -> None:
        self.is_live = is_live
        self._by_kind: dict[str, list[Source]] = {}
        for source in sources:
            self._by_kind.setdefault(str(source.document["kind"]), []).append(source)

    def of(self, *kinds: str) -> Iterator[Source]:
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def services(self) -> Iterator[Source]:
        """Kubernetes' own, and nobody else's of that name."""
        return (each for each in self.of("Service") if each.document.get("apiVersion") == "v1")

    def pod_templates(self, namespace: str) -> Iterator[tuple[Source, Mapping[str, str], Doc]]:
        """Pods of the namespace, running or described: the object, the labels, and the spec."""
        for each in self.of("Pod"):
            if space(each) == namespace:
                yield each, labels(each.document), each.document.get("spec") or {}
        for each in self.of(*TEMPLATED):
            template = (each.document.get("spec") or {}).get("template") or {}
            if space(each) == namespace:
                yield each, labels(template), template.get("spec") or {}

    def namespaces(self) -> frozenset[str]:
        return frozenset(name(each) for each in self.of("Namespace"))

    def hosts(self) -> frozenset[str]:
        """Every name under which the mesh knows a service, as the full ones."""
        own = {f"{name(each)}.{space(each)}.svc.{CLUSTER_DOMAIN}" for each in self.services()}
        named = (host for each in self.of("ServiceEntry") for host in spec(each).get("hosts") or ())
        return frozenset(own | set(named))


def spec(source: Source) -> Doc:
    return source.document.get("spec") or {}


def name(source: Source) -> str:
    return str((source.document.get("metadata") or {}).get("name", ""))


def space(source: Source) -> str:
    return str((source.document.get("metadata") or {}).get("namespace", ""))


def labels(document: Doc) -> Mapping[str, str]:
    return (document.get("metadata") or {}).get("labels") or {}


def full(host: str, namespace: str) -> str:
    """The host as a pod of the namespace means it: a single word is a service beside it."""
    return host if "." in host or "*" in host else f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"


def selects(wanted: Mapping[str, str] | None, found: Mapping[str, str]) -> bool:
    """Whether an object that wants these labels takes one that has those; without any it takes all."""
    return (wanted or {}).items() <= found.items()


def told(source: Source, code: str, level: Level, path: str, text: str) -> Message:
    """A message about a field of the object; the text ends with the mend in brackets."""
    where = f"{path}: " if path else ""
    return Message(code, level, ref(source), f"{where}{text}", source.place(path) if source.file else "")


def ref(source: Source) -> ObjectRef:
    group = str(source.document["apiVersion"]).rpartition("/")[0]
    return ObjectRef(kind=source.document["kind"], name=name(source), namespace=space(source), group=group)
