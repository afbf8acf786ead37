"""The state of a pod. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core.container import ResourceRequirements
from semafor.resources.marks import ATOMIC, Resources, Time, listing


class ContainerStateWaiting(Document):
    """The container does not run yet."""

    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class ContainerStateRunning(Document):
    """The container runs."""

    started_at: Annotated[Time | None, "When it started."] = None


class ContainerStateTerminated(Document):
    """The container has ended."""

    exit_code: Annotated[int, "Exit code of the program."] = 0
    signal: Annotated[int, "Signal that ended it, if one did."] = 0
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""
    started_at: Annotated[Time | None, "When it started."] = None
    finished_at: Annotated[Time | None, "When it ended."] = None
    container_id: Annotated[str, "ID of the container."] = msgspec.field(name="containerID", default="")


class ContainerState(Document):
    """Whether a container waits, runs or has ended; one field is set."""

    waiting: Annotated[ContainerStateWaiting | None, "It does not run yet."] = None
    running: Annotated[ContainerStateRunning | None, "It runs."] = None
    terminated: Annotated[ContainerStateTerminated | None, "It has ended."] = None


class VolumeMountStatus(Document):
    """A mount as it is."""

    name: Annotated[str, "Name of the pod's volume."] = ""
    mount_path: Annotated[str, "Path in the container."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    recursive_read_only: Annotated[str | None, "Whether mounts beneath are read-only too."] = None


class LinuxContainerUser(Document):
    """Whom the first process ran as."""

    uid: Annotated[int, "User id."]
    gid: Annotated[int, "Group id."]
    supplemental_groups: Annotated[tuple[int, ...], ATOMIC, "Further groups."] = ()


class ContainerUser(Document):
    """Whom the first process ran as."""

    linux: Annotated[LinuxContainerUser | None, "On Linux."] = None


class ResourceHealth(Document):
    """The health of a device."""

    resource_id: Annotated[str, "ID of the device."] = msgspec.field(name="resourceID")
    health: Annotated[str, "Healthy, Unhealthy or Unknown."] = ""


class ResourceStatus(Document):
    """The health of the devices of one resource."""

    name: Annotated[str, "Name of the resource."] = ""
    resources: Annotated[tuple[ResourceHealth, ...], listing("resourceID"), "The devices."] = ()


class ContainerStatus(Document):
    """The state of a container."""

    name: Annotated[str, "Name of the container."] = ""
    state: Annotated[ContainerState, "Its state now."] = ContainerState()
    last_state: Annotated[ContainerState, "Its state before the last restart."] = ContainerState()
    ready: Annotated[bool, "Whether it is ready for traffic."] = False
    restart_count: Annotated[int, "How often it was restarted."] = 0
    image: Annotated[str, "Image that it runs."] = ""
    image_id: Annotated[str, "ID of that image."] = msgspec.field(name="imageID", default="")
    container_id: Annotated[str, "ID of the container."] = msgspec.field(name="containerID", default="")
    started: Annotated[bool | None, "Whether its startup probe has succeeded."] = None
    allocated_resources: Annotated[Resources, "Resources set aside for it."] = {}
    resources: Annotated[ResourceRequirements | None, "Resources that are in force."] = None
    volume_mounts: Annotated[
        tuple[VolumeMountStatus, ...], listing("mountPath", patch_key="mountPath"), "Mounts as they are."
    ] = ()
    user: Annotated[ContainerUser | None, "Whom the first process ran as."] = None
    allocated_resources_status: Annotated[
        tuple[ResourceStatus, ...], listing("name", patch_key="name"), "The health of its devices."
    ] = ()


class PodCondition(Document):
    """One aspect of a pod's state."""

    type: Annotated[str, "Which aspect, such as Ready."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_probe_time: Annotated[Time | None, "When it was last looked at."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class PodIP(Document):
    """An address of the pod."""

    ip: Annotated[str, "The address."] = ""


class HostIP(Document):
    """An address of the pod's node."""

    ip: Annotated[str, "The address."] = ""


class PodResourceClaimStatus(Document):
    """The object behind a claim of the pod."""

    name: Annotated[str, "Name of the claim in the pod's list."] = ""
    resource_claim_name: Annotated[str | None, "Name of the ResourceClaim object."] = None


class PodStatus(Document):
    """The state of a pod."""

    phase: Annotated[
        Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"] | None, "Where the pod is in its life."
    ] = None
    conditions: Annotated[
        tuple[PodCondition, ...], listing("type", patch_key="type"), "Aspects of the present state, told apart by type."
    ] = ()
    message: Annotated[str, "The same for people."] = ""
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    nominated_node_name: Annotated[str, "Node that is being cleared for the pod."] = ""
    host_ip: Annotated[str, "Address of the pod's node."] = msgspec.field(name="hostIP", default="")
    host_ips: Annotated[tuple[HostIP, ...], listing(patch_key="ip"), "Addresses of the pod's node."] = msgspec.field(
        name="hostIPs", default=()
    )
    pod_ip: Annotated[str, "Address of the pod."] = msgspec.field(name="podIP", default="")
    pod_ips: Annotated[
        tuple[PodIP, ...], listing("ip", patch_key="ip"), "Addresses of the pod, one for each family."
    ] = msgspec.field(name="podIPs", default=())
    start_time: Annotated[Time | None, "When the node took the pod on."] = None
    init_container_statuses: Annotated[tuple[ContainerStatus, ...], ATOMIC, "The state of the init containers."] = ()
    container_statuses: Annotated[tuple[ContainerStatus, ...], ATOMIC, "The state of the containers."] = ()
    qos_class: Annotated[
        Literal["Guaranteed", "Burstable", "BestEffort"] | None, "How the pod is treated when resources run out."
    ] = None
    ephemeral_container_statuses: Annotated[
        tuple[ContainerStatus, ...], ATOMIC, "The state of the ephemeral containers."
    ] = ()
    resize: Annotated[str, "How far a change of resources is."] = ""
    resource_claim_statuses: Annotated[
        tuple[PodResourceClaimStatus, ...],
        listing("name", patch_key="name", strategy="merge,retainKeys"),
        "The objects behind the pod's claims.",
    ] = ()
