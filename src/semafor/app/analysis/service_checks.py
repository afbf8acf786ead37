"""What Services and pods say differently of ports, and images that only injection fills in.

Source: Istio's messages IST0116, IST0137, IST0146, IST0147 and IST0150; Kiali's KIA0701.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from semafor.app.analysis import codes
from semafor.app.analysis.message import Message
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import TEMPLATED, World, labels, name, selects, space, spec, told
from semafor.planner.services import protocol
from semafor.planner.services.protocol import Protocol

Doc = dict[str, Any]
_AUTO = "auto"
_GATEWAY = "router"  # the argument that makes a proxy a gateway


def messages(world: World) -> Iterator[Message]:
    for service in world.services():
        yield from _targets(world, service)
        yield from _external_name(service)
        yield from _selects_nothing(world, service)
    yield from _rivals(world)
    yield from _automatic_images(world)


def _ports(service: Source) -> list[Doc]:
    return list(spec(service).get("ports") or ())


def _behind(world: World, service: Source) -> list[tuple[Source, Doc]]:
    wanted = spec(service).get("selector")
    found = world.pod_templates(space(service)) if wanted else ()
    return [(source, each) for source, has, each in found if selects(wanted, has)]


def _targets(world: World, service: Source) -> Iterator[Message]:
    behind = [(source, pod) for source, pod in _behind(world, service) if not _is_gateway(pod)]
    declared = [
        port
        for _, pod in behind
        for container in (*(pod.get("containers") or ()), *(pod.get("initContainers") or ()))
        for port in container.get("ports") or ()
    ]
    for index, port in enumerate(_ports(service)):
        target = port.get("targetPort", port.get("port"))
        named = isinstance(target, str) and not target.isdigit()
        known = {each.get("name") for each in declared} if named else {each.get("containerPort") for each in declared}
        missing = behind and (declared or named) and (target if named else int(target or 0)) not in known
        if missing:
            pods = ", ".join(sorted({name(source) for source, _ in behind})[:3])
            kind = "is called" if named else "is"
            text = (
                f"no port of the pods behind it {kind} {target} ({pods}): nobody may listen there (let targetPort be "
                "one of their ports, or name it there)"
            )
            yield told(service, codes.NO_TARGET_PORT, "Warning", f"spec.ports[{index}].targetPort", text)


def _is_gateway(pod: Doc) -> bool:
    """One listens where its Gateways say, whatever its container declares."""
    return any(_GATEWAY in (each.get("args") or ()) for each in pod.get("containers") or ())


def _external_name(service: Source) -> Iterator[Message]:
    if spec(service).get("type") != "ExternalName":
        return
    for index, port in enumerate(_ports(service)):
        found = protocol.declared(
            int(port.get("port", 0)), str(port.get("name") or ""), "TCP", port.get("appProtocol") or ""
        )
        if found in (Protocol.TCP, Protocol.SNIFFED):
            text = (
                "the port is of bytes, and the service of a name outside: nothing tells apart where its connections go "
                "(name the port after a protocol such as http or tls)"
            )
            yield told(service, codes.EXTERNAL_PORT, "Warning", f"spec.ports[{index}]", text)


def _selects_nothing(world: World, service: Source) -> Iterator[Message]:
    wanted = spec(service).get("selector")
    if not world.is_live or not wanted or _behind(world, service) or space(service) == "istio-system":
        return
    said = ", ".join(f"{key}={value}" for key, value in wanted.items())
    text = f"no pod has the labels {said}, so nobody answers (mend the selector, or the pods' labels)"
    yield told(service, codes.NO_PODS, "Warning", "spec.selector", text)


def _rivals(world: World) -> Iterator[Message]:
    """Services that say different things of the same port of the same pods."""
    services = [each for each in world.services() if spec(each).get("selector")]
    for one, other in combinations(services, 2):
        shared = {id(source): source for source, _ in _behind(world, one)}
        both = [source for source, _ in _behind(world, other) if id(source) in shared]
        if space(one) != space(other) or not both:
            continue
        for mine in _ports(one):
            for theirs in _ports(other):
                yield from _rival(both[0], (one, mine), (other, theirs))


def _rival(pod: Source, one: tuple[Source, Doc], other: tuple[Source, Doc]) -> Iterator[Message]:
    (first, mine), (second, theirs) = one, other
    kinds = [_protocol(mine), _protocol(theirs)]
    both = f"the Services {name(first)} and {name(second)}"
    target, its = mine.get("targetPort", mine.get("port")), theirs.get("targetPort", theirs.get("port"))
    if target == its and kinds[0] is not kinds[1]:
        text = (
            f"{both} say different protocols of its port {target}: {kinds[0].value} and {kinds[1].value} (name the "
            "ports alike)"
        )
        yield told(pod, codes.TWO_PROTOCOLS, "Warning", "", text)
    elif target == its and mine.get("port") != theirs.get("port"):
        text = f"{both} lead to its port {target} from different ports, {mine['port']} and {theirs['port']} (use one)"
        yield told(pod, codes.TWO_PORTS, "Info", "", text)


def _protocol(port: Doc) -> Protocol:
    transport, application = str(port.get("protocol") or "TCP"), port.get("appProtocol") or ""
    return protocol.declared(int(port.get("port", 0)), str(port.get("name") or ""), transport, application)


def _automatic_images(world: World) -> Iterator[Message]:
    """`image: auto` is a place that injection fills; without it there is no such image."""
    spaces = {name(each): labels(each.document) for each in world.of("Namespace")}
    if world.is_live:  # a namespace that is not among them has no labels
        spaces = {space(each): {} for each in world.of("Pod", *TEMPLATED)} | spaces
    for namespace, own in spaces.items():
        for source, has, pod in world.pod_templates(namespace):
            if not any(each.get("image") == _AUTO for each in pod.get("containers") or ()):
                continue
            enabled = own.get("istio-injection") == "enabled" or "istio.io/rev" in {**own, **has}
            if has.get("sidecar.istio.io/inject") == "false" or not (enabled or "sidecar.istio.io/inject" in has):
                code, level = (codes.AUTO_POD, "Error") if source.document["kind"] == "Pod" else (codes.AUTO, "Warning")
                text = (
                    "the image `auto` is filled in by injection, and these pods are not injected (label them "
                    'sidecar.istio.io/inject: "true")'
                )
                yield told(source, code, "Error" if level == "Error" else "Warning", "", text)
