"""WorkloadGroup: what WorkloadEntries of a kind have in common. Source: Istio's API reference."""

from typing import Annotated, ClassVar

from semafor.base.struct import Document
from semafor.resources.istio import workload_group_rules
from semafor.resources.istio.status import IstioStatus
from semafor.resources.istio.workload_entry import WorkloadEntrySpec
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import NON_NEGATIVE, PORT, Choices, Labels
from semafor.resources.meta.meta import ObjectMeta


class WorkloadMeta(Document):
    """Labels and annotations of entries."""

    labels: Annotated[Labels, "The labels."] = {}
    annotations: Annotated[Labels, "The annotations."] = {}


class HTTPHeader(Document):
    """A header of a request."""

    name: Annotated[str, "Name."] = ""
    value: Annotated[str, "Value of the header."] = ""


class HTTPHealthCheckConfig(Document):
    """An HTTP request."""

    port: Annotated[int, PORT, "Number of the port."]
    path: Annotated[str, "Path of the request."] = ""
    host: Annotated[str, "Host to connect to; the entry's address when absent."] = ""
    scheme: Annotated[str, "HTTP or HTTPS."] = ""
    http_headers: Annotated[tuple[HTTPHeader, ...], "Headers of the request."] = ()


class TCPHealthCheckConfig(Document):
    """A TCP connection."""

    port: Annotated[int, PORT, "Number of the port."]
    host: Annotated[str, "Host to connect to; localhost when absent."] = ""


class ExecHealthCheckConfig(Document):
    """A command; exit code 0 is good."""

    command: Annotated[tuple[str, ...], "The command and its arguments."]


class GrpcHealthCheckConfig(Document):
    """A call of gRPC's health service."""

    port: Annotated[int, PORT, "Number of the port."] = 0
    service: Annotated[str, "Service name in the health request."] = ""


class ReadinessProbe(Document):
    """A question asked of an entry again and again."""

    ONE_OF: ClassVar[Choices] = (("httpGet", "tcpSocket", "exec", "grpc"),)

    initial_delay_seconds: Annotated[int, "Seconds after the start before the first question."] = 0
    timeout_seconds: Annotated[int, "Seconds after which no answer is a bad answer; 1 when absent."] = 0
    period_seconds: Annotated[int, "Seconds between questions; 10 when absent."] = 0
    success_threshold: Annotated[int, "Good answers in a row that count as success; 1 when absent."] = 0
    failure_threshold: Annotated[int, NON_NEGATIVE, "Bad answers in a row that count as failure; 3 when absent."] = 0
    http_get: Annotated[HTTPHealthCheckConfig | None, "By an HTTP request."] = None
    tcp_socket: Annotated[TCPHealthCheckConfig | None, "By a TCP connection."] = None
    exec: Annotated[ExecHealthCheckConfig | None, "By a command."] = None
    grpc: Annotated[GrpcHealthCheckConfig | None, "By gRPC's health service."] = None


class WorkloadGroupSpec(Document):
    """What WorkloadEntries of a kind have in common."""

    template: Annotated[WorkloadEntrySpec, "The entry that others are made like."]
    metadata: Annotated[WorkloadMeta | None, "Labels and annotations of the entries."] = None
    probe: Annotated[ReadinessProbe | None, "How the entries' health is asked for."] = None


class WorkloadGroup(Document):
    """What WorkloadEntries of a kind have in common."""

    spec: Annotated[WorkloadGroupSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "WorkloadGroup"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="WorkloadGroup",
    plural="workloadgroups",
    short=("wg",),
    categories=("istio-io", "networking-istio-io"),
    document=WorkloadGroup,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=True,
    validate=workload_group_rules.validate,
)
