"""What is wrong with routes beside others, or for the services that they are for, in words."""

from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner.checks.problems import no_effect
from semafor.planner.checks.problems import problem as _problem


def unreachable(origin: Origin, by: Origin) -> Problem:
    place = by.path if by.ref == origin.ref else f"{by.ref} {by.path}"
    return _problem(
        origin,
        "Unreachable",
        f"nothing gets here: {place} before it takes all that this would take",
        fix="move the narrower conditions to the front",
    )


def overridden(origin: Origin, by: Origin) -> Problem:
    return _problem(
        origin,
        "Overridden",
        f"the route has no effect: {by.ref} {by.path}, which is newer, takes the same requests",
        fix="move the rules of one host into one VirtualService, or delete one of the two",
    )


def overrides(origin: Origin, other: Origin) -> Problem:
    return _problem(
        origin,
        "Overrides",
        f"the route takes the requests that {other.ref} {other.path} took, which has no effect any more",
        fix="move the rules of one host into one VirtualService, or delete one of the two",
    )


def displaced(origin: Origin, host: str, port: int, by: Origin, consumer: str) -> Problem:
    whose = f" of the namespace {consumer}" if consumer else ""
    return _problem(
        origin,
        "Overridden",
        f"the routes have no effect for callers{whose} of {host}:{port}: {by.ref} is the Service's own, and wins there",
        fix="route a port of a Service by one of the two APIs alone",
    )


def displaces(origin: Origin, host: str, port: int, other: Origin) -> Problem:
    return _problem(
        origin,
        "Overrides",
        f"the route takes the requests for {host}:{port} that {other.ref} has routes for, which have no effect there",
        fix="route a port of a Service by one of the two APIs alone",
    )


def asked_later(origin: Origin, domain: str, port: int, by: Origin) -> Problem:
    return _problem(
        origin,
        "AskedLater",
        f"requests for {domain} at port {port} are tried with {by.ref} first, for its Gateway is older; of routes for "
        "all requests the first counts alone",
        fix="give each host of a gateway's port to one of the two APIs alone",
    )


def nobody_sees(origin: Origin) -> Problem:
    return no_effect(origin, "no namespace sees the object", "name one, or write `*`")


def no_such_port(origin: Origin, port: int, hosts: str) -> Problem:
    return no_effect(origin, f"no port {port} of {hosts} takes what this is for", "name one of the service's ports")


def nothing_carries(origin: Origin, kind: str, hosts: str) -> Problem:
    """`kind` is the field of the object: http, tcp or tls."""
    wanted = {"http": "speaks HTTP", "tcp": "carries bytes", "tls": "carries TLS"}[kind]
    fix = "write http routes for HTTP, tls routes for TLS (https), tcp routes for the rest; or change the port's name"
    return no_effect(origin, f"no port of {hosts} {wanted}", fix)


def nothing_tells(origin: Origin, host: str) -> Problem:
    fix = "name a port and destinationSubnets, or create a ServiceEntry with addresses for the host"
    return no_effect(origin, f"no service has the host {host}, so nothing tells its connections from others", fix)


def no_time_to_repeat(origin: Origin, per_try: str, timeout: str) -> Problem:
    why = f"the first attempt may take {per_try}, and after {timeout} the request is given up: nothing is repeated"
    return no_effect(origin, why, "make perTryTimeout shorter than timeout")
