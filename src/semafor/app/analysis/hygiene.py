"""What is around the rules: namespaces and pods that are not part of the mesh, ports without a protocol, selectors.

Source: Istio's analyzers injection, service/portname, and the messages IST0102 to IST0144.
"""

from collections.abc import Iterator
from typing import Any

from semafor.app.analysis import codes
from semafor.app.analysis.message import Level, Message
from semafor.app.analysis.reading import Source
from semafor.base.problem import ObjectRef
from semafor.planner.services import protocol
from semafor.planner.services.protocol import Protocol

Doc = dict[str, Any]

_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease", "istio-system"})
# The labels that bring a namespace into the mesh, from the one that counts most.
_INJECTING = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")
_PROXY = "istio-proxy"
_PROXY_USER = 1337
_SELECTING = frozenset(
    {"AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication", "Sidecar", "Telemetry", "ProxyConfig"}
)


def messages(sources: tuple[Source, ...], *, is_live: bool) -> Iterator[Message]:
    """What deserves a look. `is_live`: the sources are all that there is, so what is not among them does not exist."""
    injected, outside = _injected(sources), _outside(sources)
    for source in sources:
        yield from _of_namespace(source)
        yield from _of_service(source, outside)
        yield from _of_pod(source, injected)
        yield from _of_users(source, outside)
    if is_live:
        yield from _without_workloads(sources)


def _of_namespace(source: Source) -> Iterator[Message]:
    if source.document["kind"] != "Namespace" or _name(source) in _SYSTEM:
        return
    labels = _labels(source.document)
    both = [each for each in _INJECTING if each in labels and labels[each] != "disabled"]
    if len(both) > 1:
        text = f"it has both {both[0]} and {both[1]}; the second one does not count (remove one of them)"
        yield Message(codes.TWO_LABELS, "Warning", _ref(source), text, _place(source, "metadata.labels"))
    if labels.get("istio.io/dataplane-mode") == "ambient" and len(both) == 1:
        text = "istio.io/dataplane-mode has no effect: its pods get no sidecar by it (label it istio-injection=enabled)"
        yield Message("NotSupported", "Error", _ref(source), text, _place(source, "metadata.labels"))
    asked = labels.get("istio-injection", "enabled")
    if asked not in ("enabled", "disabled"):
        text = f"istio-injection={asked} means nothing, so its pods get no sidecar: it is enabled, or disabled"
        yield Message(codes.NOT_INJECTED, "Warning", _ref(source), text, _place(source, "metadata.labels"))
    if not set(_INJECTING) & labels.keys():
        text = (
            f"the namespace is not enabled for injection: kubectl label namespace {_name(source)} "
            "istio-injection=enabled, or =disabled to say that this is meant"
        )
        yield Message(codes.NOT_INJECTED, "Info", _ref(source), text, _place(source))


def _of_service(source: Source, outside: frozenset[str]) -> Iterator[Message]:
    if source.document["kind"] != "Service" or source.document.get("apiVersion") != "v1":
        return
    if _namespace(source) in outside:
        return
    for index, port in enumerate(source.document.get("spec", {}).get("ports") or ()):
        transport = str(port.get("protocol") or "TCP")
        number, name = int(port.get("port", 0)), str(port.get("name") or "")
        known = protocol.declared(number, name, transport, port.get("appProtocol") or "")
        if transport == "TCP" and known is Protocol.SNIFFED:
            text = f"the name of port {number} ({name or 'none'}) tells no protocol, so it is found by looking"
            yield Message(codes.PORT_NAME, "Info", _ref(source), text, _place(source, f"spec.ports[{index}]"))


def _of_pod(source: Source, injected: frozenset[str]) -> Iterator[Message]:
    document = source.document
    if document["kind"] != "Pod" or _namespace(source) not in injected:
        return
    spec = document.get("spec", {})
    if _is_left_out(document):
        return
    if not any(
        each.get("name") == _PROXY for each in (*(spec.get("initContainers") or ()), *spec.get("containers", ()))
    ):
        text = "the pod has no sidecar; it was made before injection was enabled (restart it)"
        yield Message(codes.NO_PROXY, "Warning", _ref(source), text, _place(source))


def _of_users(source: Source, outside: frozenset[str]) -> Iterator[Message]:
    """Pods, running or described, whose programs would pass for the proxy."""
    document = source.document
    if (
        document["kind"] not in {"Pod", "Deployment", "StatefulSet", "DaemonSet", "Job"}
        or _namespace(source) in outside
    ):
        return
    pod = document if document["kind"] == "Pod" else (document.get("spec") or {}).get("template") or {}
    spec = pod.get("spec") or {}
    own = [each for each in spec.get("containers") or () if each.get("name") != _PROXY]
    users = [(each.get("securityContext") or {}).get("runAsUser") for each in (spec, *own)]
    if _PROXY_USER in users and not _is_left_out(pod):
        text = f"the user {_PROXY_USER} is the proxy's own: what it sends is not intercepted (use another)"
        yield Message(codes.RESERVED_USER, "Warning", _ref(source), text, _place(source, "spec"))


def _is_left_out(pod: Doc) -> bool:
    """Whether it wants no sidecar, or needs none any more."""
    metadata = pod.get("metadata") or {}
    own = (metadata.get("labels") or {}) | (metadata.get("annotations") or {})
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return ended or own.get("sidecar.istio.io/inject") == "false" or bool(pod.get("spec", {}).get("hostNetwork"))


def _without_workloads(sources: tuple[Source, ...]) -> Iterator[Message]:
    pods = [(_namespace(each), _labels(each.document).items()) for each in sources if each.document["kind"] == "Pod"]
    for source in sources:
        wanted = _selector(source.document)
        where = _namespace(source)
        if any(where in (space, "istio-system") and wanted.items() <= labels for space, labels in pods):
            continue
        if wanted:
            said = ", ".join(f"{name}={value}" for name, value in wanted.items())
            text = f"no pod has the labels {said}, so it has no effect yet (mend the selector, or the pods' labels)"
            yield Message(*_without(source.document), _ref(source), text, _place(source, "spec.selector"))
        elif source.document["kind"] == "AuthorizationPolicy" and not _targets(source.document):
            text = f"there is no pod in {where}, so it has no effect yet (move it to where the pods are)"
            yield Message(codes.NO_WORKLOADS, "Warning", _ref(source), text, _place(source))


def _without(document: Doc) -> tuple[str, Level]:
    """How istioctl tells it of the kind."""
    if document["kind"] in {"Sidecar", "Telemetry"}:
        return codes.NOT_FOUND, "Error"
    return codes.NO_WORKLOADS, "Warning"


def _targets(document: Doc) -> bool:
    spec = document.get("spec") or {}
    return bool(spec.get("targetRef") or spec.get("targetRefs"))


def _selector(document: Doc) -> Doc:
    if document["kind"] not in _SELECTING:
        return {}
    spec = document.get("spec") or {}
    chosen = spec.get("selector") or spec.get("workloadSelector") or {}
    return chosen.get("matchLabels") or chosen.get("labels") or {}


def _outside(sources: tuple[Source, ...]) -> frozenset[str]:
    """The system's namespaces, and those that are known not to be in the mesh; of files it may not be known."""
    spaces = (each for each in sources if each.document["kind"] == "Namespace")
    return _SYSTEM | {_name(each) for each in spaces if not _joins(_labels(each.document))}


def _joins(labels: dict[str, str]) -> bool:
    return any(labels.get(each, "disabled") != "disabled" for each in _INJECTING)


def _injected(sources: tuple[Source, ...]) -> frozenset[str]:
    """The namespaces whose pods get a sidecar."""
    spaces = (each for each in sources if each.document["kind"] == "Namespace")
    return frozenset(_name(each) for each in spaces if _labels(each.document).get("istio-injection") == "enabled")


def _labels(document: Doc) -> dict[str, str]:
    return (document.get("metadata") or {}).get("labels") or {}


def _name(source: Source) -> str:
    return str((source.document.get("metadata") or {}).get("name", ""))


def _namespace(source: Source) -> str:
    return str((source.document.get("metadata") or {}).get("namespace", ""))


def _ref(source: Source) -> ObjectRef:
    group = str(source.document["apiVersion"]).rpartition("/")[0]
    return ObjectRef(kind=source.document["kind"], name=_name(source), namespace=_namespace(source), group=group)


def _place(source: Source, path: str = "") -> str:
    return source.place(path) if source.file else ""
