"""What is odd within VirtualServices, DestinationRules and Gateways, and between them and what is there.

Source: Istio's messages IST0149, IST0162 and IST0173; Kiali's checks KIA0005, KIA0209, KIA1104 and KIA1105.
"""

import json
from collections.abc import Iterator
from typing import Any

from semafor.app.analysis import codes
from semafor.app.analysis.message import Message
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import World, full, name, selects, space, spec, told
from semafor.base.names import CLUSTER_DOMAIN

Doc = dict[str, Any]
_CLAIMS = "@request.auth.claims"
_OF_NODES = "topology."  # labels that pods have from where they run
_ANYWHERE = frozenset(("*", ".", "~"))


def messages(world: World) -> Iterator[Message]:
    for rule in world.of("VirtualService"):
        yield from _routes(rule)
        yield from _claims(world, rule)
    for rule in world.of("DestinationRule"):
        yield from _subsets(rule)
        yield from _subsets_of_nobody(world, rule)
    for rule in world.of("VirtualService", "DestinationRule", "ServiceEntry"):
        yield from _exports(world, rule)
    for gateway in world.of("Gateway"):
        if str(gateway.document["apiVersion"]).startswith("networking.istio.io/"):
            yield from _ports(world, gateway)


def _routes(rule: Source) -> Iterator[Message]:
    for kind in ("http", "tls", "tcp"):
        for index, route in enumerate(spec(rule).get(kind) or ()):
            chosen, place = route.get("route") or [], f"spec.{kind}[{index}].route"
            if len(chosen) == 1 and chosen[0].get("weight") not in (None, 0, 100):
                text = f"the weight {chosen[0]['weight']} stands for 100: there is no other destination (leave it out)"
                yield told(rule, codes.LONE_WEIGHT, "Warning", f"{place}[0].weight", text)
            seen: dict[str, int] = {}
            for number, each in enumerate(chosen):
                same = json.dumps({**each, "weight": 0}, sort_keys=True)
                if same in seen:
                    text = f"it is the same destination as route[{seen[same]}] (add their weights, and keep one)"
                    yield told(rule, codes.TWICE, "Warning", f"{place}[{number}]", text)
                seen.setdefault(same, number)


def _claims(world: World, rule: Source) -> Iterator[Message]:
    """Claims of tokens are known once a RequestAuthentication has looked at them."""
    for index, route in enumerate(spec(rule).get("http") or ()):
        for number, match in enumerate(route.get("match") or ()):
            asked = [
                header
                for field in ("headers", "withoutHeaders")
                for header in match.get(field) or {}
                if header.startswith(_CLAIMS)
            ]
            if asked and not any(spec(each).get("jwtRules") for each in world.of("RequestAuthentication")):
                text = (
                    f"{asked[0]} is of a token that nobody looks at, so the route takes nothing (let a "
                    "RequestAuthentication for the gateway's pods take tokens of its issuer)"
                )
                yield told(rule, codes.CLAIMS, "Error", f"spec.http[{index}].match[{number}]", text)


def _subsets(rule: Source) -> Iterator[Message]:
    for index, each in enumerate(spec(rule).get("subsets") or ()):
        if not each.get("labels"):
            text = f"the subset {each.get('name')} has no labels, so it is the whole service (give it labels)"
            yield told(rule, codes.NO_LABELS, "Warning", f"spec.subsets[{index}]", text)


def _subsets_of_nobody(world: World, rule: Source) -> Iterator[Message]:
    """Subsets that no pod of the service is in, though pods are told of."""
    host = full(str(spec(rule).get("host", "")), space(rule))
    services = (each for each in world.services() if f"{name(each)}.{space(each)}.svc.{CLUSTER_DOMAIN}" == host)
    service = next(services, None)
    wanted = spec(service).get("selector") if service else None
    if not service or not wanted:
        return
    behind = [has for _, has, _ in world.pod_templates(space(service)) if selects(wanted, has)]
    for index, each in enumerate(spec(rule).get("subsets") or ()):
        asked = {key: value for key, value in (each.get("labels") or {}).items() if not key.startswith(_OF_NODES)}
        if (behind or world.is_live) and asked and not any(selects(asked, has) for has in behind):
            said = ", ".join(f"{key}={value}" for key, value in asked.items())
            text = (
                f"no pod of the service has the labels {said} of the subset {each.get('name')}, so nobody answers for "
                "it (mend the labels, or start such pods)"
            )
            yield told(rule, codes.SUBSET_WITHOUT_PODS, "Error", f"spec.subsets[{index}].labels", text)


def _exports(world: World, rule: Source) -> Iterator[Message]:
    for index, each in enumerate(spec(rule).get("exportTo") or ()):
        if world.is_live and each not in _ANYWHERE and each not in world.namespaces():
            text = f"there is no namespace {each} to which it could be shown (mend its name, or make it)"
            yield told(rule, codes.NOT_FOUND, "Error", f"spec.exportTo[{index}]", text)


def _ports(world: World, gateway: Source) -> Iterator[Message]:
    wanted = spec(gateway).get("selector") or {}
    pods = [
        (namespace, has)
        for namespace in {"istio-system", space(gateway)}
        for _, has, _ in world.pod_templates(namespace)
        if wanted and selects(wanted, has)
    ]
    services = [
        each
        for each in world.services()
        if any(
            spec(each).get("selector") and space(each) == namespace and selects(spec(each)["selector"], has)
            for namespace, has in pods
        )
    ]
    ports = [port for each in services for port in spec(each).get("ports") or ()]
    exposed = {port.get(field) for port in ports for field in ("port", "targetPort")}
    for index, server in enumerate(spec(gateway).get("servers") or ()):
        number = (server.get("port") or {}).get("number")
        if services and number not in exposed:
            text = (
                f"the gateway listens at {number}, and no port of the Service {name(services[0])} leads there (add the "
                "port to it)"
            )
            yield told(gateway, codes.NOT_EXPOSED, "Warning", f"spec.servers[{index}].port", text)
