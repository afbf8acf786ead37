"""Mistakes in ServiceEntries, WorkloadEntries and WorkloadGroups, and between the services of one host."""

from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner.checks.problems import Severity


def no_address(origin: Origin) -> Problem:
    return _problem(
        origin,
        "NoAddress",
        "the workload has no address, and there is no gateway to another network, so nothing is sent to it",
        fix="write its IP address or DNS name",
    )


def no_instances(origin: Origin) -> Problem:
    return _problem(
        origin,
        "NoInstances",
        "the service has no instances, so its requests are answered 503",
        fix="list endpoints, write a workloadSelector, or let DNS find them: resolution DNS",
    )


def no_ports(origin: Origin) -> Problem:
    return _problem(origin, "NoPorts", "the service has no ports, so nothing can be sent to it", fix="list its ports")


def no_host_to_resolve(origin: Origin, protocol: str) -> Problem:
    return _problem(
        origin,
        "NoHost",
        f"connections of protocol {protocol} name no host that could be resolved, so the port has no effect",
        fix="declare HTTP, HTTP2, GRPC, HTTPS or TLS, or choose resolution NONE",
        severity="error",
    )


def no_machines(origin: Origin) -> Problem:
    return _problem(
        origin,
        "NoEffect",
        "no machine registers itself with this mesh, so the group has no entries",
        fix="write a WorkloadEntry for each machine",
        severity="info",
    )


def host_taken(origin: Origin, host: str, by: Origin | None) -> Problem:
    owner = by.ref if by else "another service"
    return _problem(
        origin,
        "Conflict",
        f"the host {host} has no effect: {owner} has it for the same callers",
        fix="choose another host, or merge the two",
        severity="error",
    )


def port_taken(origin: Origin, port: int, by: Origin | None) -> Problem:
    owner = by.ref if by else "another service"
    return _problem(
        origin,
        "Conflict",
        f"bytes to port {port} go to {owner}: both claim the port for every address",
        fix="write the addresses of the service, or choose resolution STATIC or DNS, so that it has one of its own",
        severity="error",
    )


def address_taken(origin: Origin, address: str, port: int, by: Origin | None) -> Problem:
    owner = by.ref if by else "another service"
    return _problem(
        origin,
        "Conflict",
        f"bytes to {address}:{port} go to {owner}, which has the same address",
        fix="give each service an address of its own, or none, so that the mesh gives it one",
        severity="error",
    )


def name_not_resolved(origin: Origin, address: str, by: Origin) -> Problem:
    return _problem(
        origin,
        "NameNotResolved",
        f"{by.ref} sends nothing to {address}: it wants IP addresses, and asks no DNS",
        fix="write the workload's IP address, or set resolution DNS in the ServiceEntry",
        severity="error",
    )


def _problem(origin: Origin, reason: str, message: str, *, fix: str, severity: Severity = "warning") -> Problem:
    return Problem(ref=origin.ref, path=origin.path, reason=reason, message=message, fix=fix, severity=severity)
