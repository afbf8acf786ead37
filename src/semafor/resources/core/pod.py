"""Pod and PodTemplate. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core import pod_defaults, pod_rules
from semafor.resources.core.affinity import Affinity, Toleration, TopologySpreadConstraint
from semafor.resources.core.container import Container, EphemeralContainer, ResourceRequirements
from semafor.resources.core.pod_status import PodStatus
from semafor.resources.core.refs import LocalObjectReference
from semafor.resources.core.security import PodSecurityContext
from semafor.resources.core.volume import Volume
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, DNS_LABEL, DNS_SUBDOMAIN, NON_NEGATIVE, POSITIVE, Labels, Resources, listing
from semafor.resources.meta.meta import ObjectMeta


class HostAlias(Document):
    """A line of the pod's hosts file."""

    ip: Annotated[str, "The address."]
    hostnames: Annotated[tuple[str, ...], ATOMIC, "Names for the address."] = ()


class PodDNSConfigOption(Document):
    """An option of the resolver."""

    name: Annotated[str, "Name of the option."] = ""
    value: Annotated[str | None, "Its value, if it has one."] = None


class PodDNSConfig(Document):
    """Settings of the pod's resolver, added to what dnsPolicy gives."""

    nameservers: Annotated[tuple[str, ...], ATOMIC, "Addresses of DNS servers."] = ()
    searches: Annotated[tuple[str, ...], ATOMIC, "Domains that short names are looked up in."] = ()
    options: Annotated[tuple[PodDNSConfigOption, ...], ATOMIC, "Options of the resolver."] = ()


class PodReadinessGate(Document):
    """A condition that must hold before the pod is ready."""

    condition_type: Annotated[str, "Type of the condition in the pod's status."]


class PodOS(Document):
    """The operating system of a pod."""

    name: Annotated[str, "linux or windows."]


class PodSchedulingGate(Document):
    """Something that must be removed before the pod is placed."""

    name: Annotated[str, "Name of the gate."]


class PodResourceClaim(Document):
    """A claim on devices that containers can use."""

    name: Annotated[str, "Name within the pod."]
    resource_claim_name: Annotated[str | None, "An existing ResourceClaim."] = None
    resource_claim_template_name: Annotated[
        str | None, "A template that a ResourceClaim is made from for this pod."
    ] = None


class PodSpec(Document):
    """What a pod is made of and how it runs."""

    containers: Annotated[tuple[Container, ...], listing("name", patch_key="name"), "The containers; at least one."]
    volumes: Annotated[
        tuple[Volume, ...],
        listing("name", patch_key="name", strategy="merge,retainKeys"),
        "Volumes that containers can mount.",
    ] = ()
    init_containers: Annotated[
        tuple[Container, ...],
        listing("name", patch_key="name"),
        "Containers that run before the others, one after another.",
    ] = ()
    ephemeral_containers: Annotated[
        tuple[EphemeralContainer, ...], listing("name", patch_key="name"), "Containers added later, to look at the pod."
    ] = ()
    restart_policy: Annotated[
        Literal["Always", "OnFailure", "Never"], "When ended containers are started again; Always when absent."
    ] = "Always"
    termination_grace_period_seconds: Annotated[
        int | None, NON_NEGATIVE, "Seconds between the polite and the final signal; 30 when absent."
    ] = None
    active_deadline_seconds: Annotated[int | None, POSITIVE, "Seconds after which the pod is ended as failed."] = None
    dns_policy: Annotated[
        Literal["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
        "Where the pod's resolver settings come from; ClusterFirst when absent.",
    ] = "ClusterFirst"
    node_selector: Annotated[Labels, ATOMIC, "Labels that the node must have."] = {}
    service_account_name: Annotated[
        str, DNS_SUBDOMAIN, "Service account that the processes act as; `default` when absent."
    ] = ""
    service_account: Annotated[str, "Old name of serviceAccountName."] = ""
    automount_service_account_token: Annotated[bool | None, "Whether a token of the service account is mounted."] = None
    node_name: Annotated[str, DNS_SUBDOMAIN, "Node that the pod is placed on."] = ""
    host_network: Annotated[bool, "Whether the pod uses the node's network."] = False
    host_pid: Annotated[bool, "Whether the pod sees the node's processes."] = msgspec.field(
        name="hostPID", default=False
    )
    host_ipc: Annotated[bool, "Whether the pod shares the node's IPC."] = msgspec.field(name="hostIPC", default=False)
    share_process_namespace: Annotated[bool | None, "Whether the containers see each other's processes."] = None
    security_context: Annotated[PodSecurityContext | None, "What all containers' processes may do."] = None
    image_pull_secrets: Annotated[
        tuple[LocalObjectReference, ...],
        listing("name", patch_key="name"),
        "Secrets with credentials for the images' registries.",
    ] = ()
    hostname: Annotated[str, DNS_LABEL, "Host name of the pod; its name when absent."] = ""
    subdomain: Annotated[str, DNS_LABEL, "Makes the full name hostname.subdomain.namespace.svc.DOMAIN."] = ""
    affinity: Annotated[Affinity | None, "Rules on where the pod is placed."] = None
    scheduler_name: Annotated[str, "Scheduler that places the pod."] = ""
    tolerations: Annotated[tuple[Toleration, ...], ATOMIC, "Taints of nodes that the pod accepts."] = ()
    host_aliases: Annotated[tuple[HostAlias, ...], listing("ip", patch_key="ip"), "Lines of the pod's hosts file."] = ()
    priority_class_name: Annotated[str, "Name of the pod's priority."] = ""
    priority: Annotated[int | None, "The priority as a number; filled in from the class."] = None
    dns_config: Annotated[PodDNSConfig | None, "Settings of the resolver, added to what dnsPolicy gives."] = None
    readiness_gates: Annotated[
        tuple[PodReadinessGate, ...], ATOMIC, "Conditions that must hold before the pod is ready."
    ] = ()
    runtime_class_name: Annotated[str | None, "RuntimeClass that runs the pod."] = None
    enable_service_links: Annotated[
        bool | None, "Whether Services appear as environment variables; true when absent."
    ] = None
    preemption_policy: Annotated[
        Literal["PreemptLowerPriority", "Never"] | None, "Whether the pod may push out others of less priority."
    ] = None
    overhead: Annotated[Resources, "What the runtime itself needs."] = {}
    topology_spread_constraints: Annotated[
        tuple[TopologySpreadConstraint, ...],
        listing("topologyKey", "whenUnsatisfiable", patch_key="topologyKey"),
        "How evenly such pods are spread over places.",
    ] = ()
    set_hostname_as_fqdn: Annotated[bool | None, "Whether the host name is the full name."] = msgspec.field(
        name="setHostnameAsFQDN", default=None
    )
    os: Annotated[PodOS | None, "The operating system of the pod."] = None
    host_users: Annotated[bool | None, "Whether the pod uses the node's user ids; true when absent."] = None
    scheduling_gates: Annotated[
        tuple[PodSchedulingGate, ...],
        listing("name", patch_key="name"),
        "What must be removed before the pod is placed.",
    ] = ()
    resource_claims: Annotated[
        tuple[PodResourceClaim, ...],
        listing("name", patch_key="name", strategy="merge,retainKeys"),
        "Claims on devices that containers can use.",
    ] = ()
    resources: Annotated[ResourceRequirements | None, "What all containers together need and may use."] = None


class Pod(Document):
    """A group of containers that share an address and run on one node."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Pod"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[PodSpec | None, "What is wanted."] = None
    status: Annotated[PodStatus, "What is."] = PodStatus()


class PodTemplateSpec(Document):
    """What the pods look like."""

    metadata: Annotated[ObjectMeta, "Labels and annotations of the pods."] = ObjectMeta()
    spec: Annotated[PodSpec | None, "The pods' spec."] = None


class PodTemplate(Document):
    """A stored template of pods."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "PodTemplate"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    template: Annotated[PodTemplateSpec, "The template."] = PodTemplateSpec()


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Pod",
    plural="pods",
    short=("po",),
    categories=("all",),
    document=Pod,
    subresources=(
        "status",
        "log",
        "exec",
        "attach",
        "portforward",
        "proxy",
        "ephemeralcontainers",
        "binding",
        "eviction",
        "resize",
    ),
    defaults=pod_defaults.pod,
    validate=pod_rules.pod,
)

TEMPLATE = Kind(
    group="",
    versions=("v1",),
    kind="PodTemplate",
    plural="podtemplates",
    document=PodTemplate,
    effect=False,
    defaults=pod_defaults.pod_template,
    validate=pod_rules.pod_template,
)
