"""Mistakes in Sidecars, and between several of them."""

from semafor.base.problem import Problem
from semafor.ir import Origin


def no_endpoint(origin: Origin) -> Problem:
    return Problem(
        ref=origin.ref,
        path=origin.path,
        reason="NoEndpoint",
        message="the listener leads nowhere: without interception nothing tells where the application listens",
        fix="write the application's own address, such as 127.0.0.1:8080",
        severity="error",
    )


def no_port(origin: Origin) -> Problem:
    return Problem(
        ref=origin.ref,
        path=origin.path,
        reason="NoPort",
        message="the listener has no port to listen on, so bind and captureMode have no effect",
        fix="write the port",
        severity="error",
    )


def ignored(origin: Origin, by: Origin) -> Problem:
    return Problem(
        ref=origin.ref,
        path=origin.path,
        reason="Conflict",
        message=f"the object has no effect on pods that {by.ref}, which is older, is for as well",
        fix="merge the two, or let their workloadSelectors choose different pods",
        severity="error",
    )


def nothing_there(origin: Origin, host: str) -> Problem:
    return Problem(
        ref=origin.ref,
        path=origin.path,
        reason="UnknownHost",
        message=f"no service that the namespace sees is called {host}",
        fix="write the full host, such as ./reviews.default.svc.cluster.local, and check the namespace",
    )
