"""Two objects that get into each other's way without a rule being wrong.

Source: Istio's messages IST0138, IST0159 and IST0177.
"""

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

from semafor.app.analysis import codes
from semafor.app.analysis.message import Message
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import World, name, selects, space, spec, told

Doc = dict[str, Any]


def messages(world: World) -> Iterator[Message]:
    gateways = [each for each in world.of("Gateway") if str(each.document["apiVersion"]).startswith("networking.")]
    yield from _certificates(gateways)
    yield from _protocols(list(world.of("ServiceEntry")))
    yield from _telemetries(world)


def _certificates(gateways: list[Source]) -> Iterator[Message]:
    """Browsers reuse a connection for all names of its certificate, whichever Gateway they are of."""
    for one, other in permutations(gateways, 2):
        chosen, its = spec(one).get("selector") or {}, spec(other).get("selector") or {}
        if not selects(chosen, its):
            continue
        theirs = {_certificate(each) for each in spec(other).get("servers") or ()}
        for index, server in enumerate(spec(one).get("servers") or ()):
            mine = _certificate(server)
            if any(mine) and mine in theirs:
                text = (
                    f"Gateway {space(other)}/{name(other)} serves the same certificate at the same pods: browsers that "
                    "are connected to the one send requests for the other there too, and get 404 (have one Gateway "
                    "for all hosts of the certificate, or a certificate for each)"
                )
                yield told(one, codes.SAME_CERTIFICATE, "Warning", f"spec.servers[{index}].tls", text)


def _certificate(server: Doc) -> tuple[str, str, str]:
    """What tells the certificate of a server: the Secret, or the files; nothing without TLS of its own."""
    tls = server.get("tls") or {}
    if tls.get("credentialName"):
        return str(tls["credentialName"]), "", ""
    both = (str(tls.get("serverCertificate") or ""), str(tls.get("privateKey") or ""))
    return ("", *both) if all(both) else ("", "", "")


def _protocols(entries: list[Source]) -> Iterator[Message]:
    """A host and port that two ServiceEntries say different protocols of, for the same namespaces."""
    seen: set[tuple[int, int]] = set()
    for one, other in permutations(entries, 2):
        shared = set(spec(one).get("hosts") or ()) & set(spec(other).get("hosts") or ())
        if not shared or not _seen_together(one, other):
            continue
        theirs = {port.get("number"): _protocol(port) for port in spec(other).get("ports") or ()}
        for index, port in enumerate(spec(one).get("ports") or ()):
            mine, its = _protocol(port), theirs.get(port.get("number"), "")
            if mine and its and its != mine and (id(one), index) not in seen:
                seen.add((id(one), index))
                text = (
                    f"ServiceEntry {space(other)}/{name(other)} says that {min(shared)}:{port['number']} is {its}, "
                    f"and this one {mine} (write the same protocol in both)"
                )
                yield told(one, codes.RIVAL_ENTRIES, "Warning", f"spec.ports[{index}].protocol", text)


def _telemetries(world: World) -> Iterator[Message]:
    """Two that select the same pod by different labels; of those with the same labels the checker tells."""
    for one, other in combinations(world.of("Telemetry"), 2):
        mine, its = _labels(one), _labels(other)
        if not mine or not its or mine == its or space(one) != space(other):
            continue
        pods = world.pod_templates(space(one))
        both = next((name(pod) for pod, has, _ in pods if selects(mine, has) and selects(its, has)), "")
        if both:
            text = (
                f"Telemetry {name(one)} and {name(other)} are both for {both}, and the older one alone counts there "
                "(let their selectors take different pods)"
            )
            yield told(one, codes.RIVAL_TELEMETRIES, "Error", "spec.selector", text)
            yield told(other, codes.RIVAL_TELEMETRIES, "Error", "spec.selector", text)


def _labels(source: Source) -> Doc:
    return (spec(source).get("selector") or {}).get("matchLabels") or {}


def _seen_together(one: Source, other: Source) -> bool:
    first, second = _seen_by(one), _seen_by(other)
    return "*" in first | second or bool(first & second)


def _seen_by(entry: Source) -> frozenset[str]:
    exported = spec(entry).get("exportTo") or ["*"]
    return frozenset(space(entry) if each == "." else str(each) for each in exported)


def _protocol(port: Doc) -> str:
    return str(port.get("protocol") or "").upper()
