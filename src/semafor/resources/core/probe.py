"""Probes and lifecycle hooks: what the node asks of a container. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, PORT, POSITIVE, IntOrString


class HTTPHeader(Document):
    """A header of a request."""

    name: Annotated[str, "Name of the header."]
    value: Annotated[str, "Value of the header."] = ""


class HTTPGetAction(Document):
    """An HTTP request; an answer from 200 to 399 is good."""

    port: Annotated[IntOrString, "Port, by number or by the container's name for it."]
    path: Annotated[str, "Path of the request; `/` when absent."] = ""
    host: Annotated[str, "Host to connect to; the pod's address when absent."] = ""
    scheme: Annotated[Literal["HTTP", "HTTPS"], "Whether it is plain HTTP or HTTPS."] = "HTTP"
    http_headers: Annotated[tuple[HTTPHeader, ...], ATOMIC, "Headers of the request."] = ()


class ExecAction(Document):
    """A command within the container; exit code 0 is good."""

    command: Annotated[tuple[str, ...], ATOMIC, "The command and its arguments; not run in a shell."] = ()


class TCPSocketAction(Document):
    """A TCP connection; that it opens is good."""

    port: Annotated[IntOrString, "Port, by number or by the container's name for it."]
    host: Annotated[str, "Host to connect to; the pod's address when absent."] = ""


class GRPCAction(Document):
    """A call of gRPC's health service."""

    port: Annotated[int, PORT, "Number of the port."]
    service: Annotated[str | None, "Service name in the health request."] = None


class SleepAction(Document):
    """A pause."""

    seconds: Annotated[int, NON_NEGATIVE, "Length of the pause."]


class Probe(Document):
    """A question asked of a container again and again; exactly one way of asking is set."""

    exec: Annotated[ExecAction | None, "By a command in the container."] = None
    http_get: Annotated[HTTPGetAction | None, "By an HTTP request."] = None
    tcp_socket: Annotated[TCPSocketAction | None, "By a TCP connection."] = None
    grpc: Annotated[GRPCAction | None, "By gRPC's health service."] = None
    initial_delay_seconds: Annotated[int, NON_NEGATIVE, "Seconds after the start before the first question."] = 0
    timeout_seconds: Annotated[int, NON_NEGATIVE, "Seconds after which no answer is a bad answer; 1 when absent."] = 0
    period_seconds: Annotated[int, NON_NEGATIVE, "Seconds between questions; 10 when absent."] = 0
    success_threshold: Annotated[int, NON_NEGATIVE, "Good answers in a row that count as success; 1 when absent."] = 0
    failure_threshold: Annotated[int, NON_NEGATIVE, "Bad answers in a row that count as failure; 3 when absent."] = 0
    termination_grace_period_seconds: Annotated[
        int | None, POSITIVE, "Seconds to end in good order after this probe failed; the pod's when absent."
    ] = None


class LifecycleHandler(Document):
    """What a hook does; exactly one is set."""

    exec: Annotated[ExecAction | None, "Runs a command in the container."] = None
    http_get: Annotated[HTTPGetAction | None, "Sends an HTTP request."] = None
    tcp_socket: Annotated[TCPSocketAction | None, "Obsolete; does nothing."] = None
    sleep: Annotated[SleepAction | None, "Waits."] = None


class Lifecycle(Document):
    """Hooks in a container's life."""

    post_start: Annotated[LifecycleHandler | None, "Done right after the container was made."] = None
    pre_stop: Annotated[LifecycleHandler | None, "Done before the container is told to stop."] = None
