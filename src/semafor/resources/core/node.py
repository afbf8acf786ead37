"""Node: a machine that runs pods. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, MERGED_SET, Resources, Time, listing
from semafor.resources.meta.meta import ObjectMeta


class Taint(Document):
    """A mark on a node that keeps away pods that do not tolerate it."""

    key: Annotated[str, "Key of the taint."]
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"], "What it does to pods without a toleration."
    ]
    value: Annotated[str, "Value of the taint."] = ""
    time_added: Annotated[Time | None, "When it was added; for NoExecute."] = None


class ConfigMapNodeConfigSource(Document):
    """A ConfigMap with a node's settings. Obsolete."""

    namespace: Annotated[str, "Namespace."] = ""
    name: Annotated[str, "Name of the ConfigMap."] = ""
    uid: Annotated[str, "UID of the object."] = ""
    resource_version: Annotated[str, "Version of the ConfigMap."] = ""
    kubelet_config_key: Annotated[str, "Key that has the settings."] = ""


class NodeConfigSource(Document):
    """Where a node's settings come from. Obsolete."""

    config_map: Annotated[ConfigMapNodeConfigSource | None, "The ConfigMap."] = None


class NodeSpec(Document):
    """What is wanted of a node."""

    pod_cidr: Annotated[str, "Network of the node's pods."] = msgspec.field(name="podCIDR", default="")
    pod_cidrs: Annotated[tuple[str, ...], MERGED_SET, "Networks of the node's pods, one for each family."] = (
        msgspec.field(name="podCIDRs", default=())
    )
    provider_id: Annotated[str, "ID that the cloud gave the machine."] = msgspec.field(name="providerID", default="")
    unschedulable: Annotated[bool, "Whether no new pods are placed on it."] = False
    taints: Annotated[tuple[Taint, ...], ATOMIC, "Marks that keep pods away."] = ()
    config_source: Annotated[NodeConfigSource | None, "Where the node's settings come from. Obsolete."] = None
    external_id: Annotated[str, "Obsolete."] = msgspec.field(name="externalID", default="")


class NodeCondition(Document):
    """One aspect of a node's state."""

    type: Annotated[str, "Which aspect, such as Ready."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_heartbeat_time: Annotated[Time | None, "When the node last reported."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class NodeAddress(Document):
    """An address of a node."""

    type: Annotated[str, "What kind of address, such as InternalIP or Hostname."] = ""
    address: Annotated[str, "The address."] = ""


class DaemonEndpoint(Document):
    """A port of a daemon."""

    port: Annotated[int, "Number of the port."] = msgspec.field(name="Port", default=0)


class NodeDaemonEndpoints(Document):
    """Ports of the node's daemons."""

    kubelet_endpoint: Annotated[DaemonEndpoint, "The kubelet's port."] = DaemonEndpoint()


class NodeSystemInfo(Document):
    """What the node is."""

    machine_id: Annotated[str, "ID of the machine."] = msgspec.field(name="machineID", default="")
    system_uuid: Annotated[str, "UUID of the machine."] = msgspec.field(name="systemUUID", default="")
    boot_id: Annotated[str, "ID of this boot."] = msgspec.field(name="bootID", default="")
    kernel_version: Annotated[str, "Version of the kernel."] = ""
    os_image: Annotated[str, "Name of the operating system."] = ""
    container_runtime_version: Annotated[str, "Name and version of the container runtime."] = ""
    kubelet_version: Annotated[str, "Version of the kubelet."] = ""
    kube_proxy_version: Annotated[str, "Version of kube-proxy. Obsolete."] = ""
    operating_system: Annotated[str, "linux or windows."] = ""
    architecture: Annotated[str, "Architecture of the processor."] = ""


class ContainerImage(Document):
    """An image on the node."""

    names: Annotated[tuple[str, ...], ATOMIC, "Names of the image."] = ()
    size_bytes: Annotated[int, "Size in bytes."] = 0


class AttachedVolume(Document):
    """A volume attached to the node."""

    name: Annotated[str, "Name of the volume."] = ""
    device_path: Annotated[str, "Path of its device."] = ""


class NodeConfigStatus(Document):
    """Which settings the node uses. Obsolete."""

    assigned: Annotated[NodeConfigSource | None, "Settings that it is to use."] = None
    active: Annotated[NodeConfigSource | None, "Settings that it uses."] = None
    last_known_good: Annotated[NodeConfigSource | None, "Settings that it falls back on."] = None
    error: Annotated[str, "What is wrong with the assigned settings."] = ""


class NodeRuntimeHandlerFeatures(Document):
    """What a runtime handler can do."""

    recursive_read_only_mounts: Annotated[bool | None, "Whether it can mount read-only recursively."] = None
    user_namespaces: Annotated[bool | None, "Whether it can use user namespaces."] = None


class NodeRuntimeHandler(Document):
    """A way to run pods."""

    name: Annotated[str, "Name of the handler; empty for the default one."] = ""
    features: Annotated[NodeRuntimeHandlerFeatures | None, "What it can do."] = None


class NodeFeatures(Document):
    """What the container runtime can do."""

    supplemental_groups_policy: Annotated[bool | None, "Whether it knows supplementalGroupsPolicy."] = None


class NodeStatus(Document):
    """The state of a node."""

    capacity: Annotated[Resources, "What the machine has."] = {}
    allocatable: Annotated[Resources, "What pods can have of it."] = {}
    phase: Annotated[Literal["Pending", "Running", "Terminated"] | None, "Obsolete."] = None
    conditions: Annotated[
        tuple[NodeCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()
    addresses: Annotated[tuple[NodeAddress, ...], listing("type", patch_key="type"), "Addresses of the node."] = ()
    daemon_endpoints: Annotated[NodeDaemonEndpoints, "Ports of the node's daemons."] = NodeDaemonEndpoints()
    node_info: Annotated[NodeSystemInfo, "What the node is."] = NodeSystemInfo()
    images: Annotated[tuple[ContainerImage, ...], ATOMIC, "Images on the node."] = ()
    volumes_in_use: Annotated[tuple[str, ...], ATOMIC, "Volumes that pods use."] = ()
    volumes_attached: Annotated[tuple[AttachedVolume, ...], ATOMIC, "Volumes attached to the node."] = ()
    config: Annotated[NodeConfigStatus | None, "Which settings it uses. Obsolete."] = None
    runtime_handlers: Annotated[tuple[NodeRuntimeHandler, ...], ATOMIC, "Ways to run pods."] = ()
    features: Annotated[NodeFeatures | None, "What the container runtime can do."] = None


class Node(Document):
    """A machine that runs pods."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Node"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[NodeSpec, "What is wanted."] = NodeSpec()
    status: Annotated[NodeStatus, "What is."] = NodeStatus()


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Node",
    plural="nodes",
    document=Node,
    short=("no",),
    namespaced=False,
    subresources=("status", "proxy"),
)
