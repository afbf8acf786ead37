"""Containers of a pod. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core.probe import Lifecycle, Probe
from semafor.resources.core.refs import (
    ConfigMapKeySelector,
    ObjectFieldSelector,
    ResourceFieldSelector,
    SecretKeySelector,
)
from semafor.resources.core.security import SecurityContext
from semafor.resources.marks import ATOMIC, DNS_LABEL, ENV_NAME, PORT, PORT_NAME, Resources, listing, within


class ContainerPort(Document):
    """A port that the container listens on. The list informs; it opens and closes nothing."""

    container_port: Annotated[int, PORT, "Number of the port on the pod's address."]
    name: Annotated[str, PORT_NAME, "Name that Services can refer to; unique within the pod."] = ""
    host_port: Annotated[int, within(0, 65535), "Port of the node that leads here."] = 0
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"], "Protocol of the port."] = "TCP"
    host_ip: Annotated[str, "Address of the node that hostPort is bound to."] = msgspec.field(name="hostIP", default="")


class ConfigMapEnvSource(Document):
    """All keys of a ConfigMap as environment variables."""

    name: Annotated[str, "Name of the ConfigMap."] = ""
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class SecretEnvSource(Document):
    """All keys of a Secret as environment variables."""

    name: Annotated[str, "Name of the Secret."] = ""
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class EnvFromSource(Document):
    """An object whose keys become environment variables."""

    prefix: Annotated[str, "Put before each key."] = ""
    config_map_ref: Annotated[ConfigMapEnvSource | None, "The ConfigMap."] = None
    secret_ref: Annotated[SecretEnvSource | None, "The Secret."] = None


class EnvVarSource(Document):
    """Where a variable's value comes from; exactly one is set."""

    field_ref: Annotated[ObjectFieldSelector | None, ATOMIC, "A field of the pod."] = None
    resource_field_ref: Annotated[
        ResourceFieldSelector | None, ATOMIC, "A resource request or limit of a container."
    ] = None
    config_map_key_ref: Annotated[ConfigMapKeySelector | None, ATOMIC, "A key of a ConfigMap."] = None
    secret_key_ref: Annotated[SecretKeySelector | None, ATOMIC, "A key of a Secret."] = None


class EnvVar(Document):
    """An environment variable."""

    name: Annotated[str, ENV_NAME, "Name of the variable."]
    value: Annotated[str, "Its value; $(NAME) stands for variables defined before."] = ""
    value_from: Annotated[EnvVarSource | None, "Where the value comes from instead."] = None


class VolumeMount(Document):
    """Where a volume appears in a container."""

    name: Annotated[str, "Name of the pod's volume."]
    mount_path: Annotated[str, "Path in the container."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    recursive_read_only: Annotated[str | None, "Whether mounts beneath are read-only too."] = None
    sub_path: Annotated[str, "Path within the volume; its root when empty."] = ""
    mount_propagation: Annotated[
        Literal["None", "HostToContainer", "Bidirectional"] | None,
        "Whether mounts made later are seen on the other side.",
    ] = None
    sub_path_expr: Annotated[str, "Like subPath, with $(NAME) of environment variables."] = ""


class VolumeDevice(Document):
    """Where a block volume appears in a container."""

    name: Annotated[str, "Name of the pod's volume."]
    device_path: Annotated[str, "Path of the device in the container."]


class ResourceClaim(Document):
    """A claim of the pod that the container uses."""

    name: Annotated[str, "Name of the claim in the pod's list."]
    request: Annotated[str, "Part of the claim; all of it when empty."] = ""


class ResourceRequirements(Document):
    """What a container needs and what it may use at most."""

    limits: Annotated[Resources, "Most that it may use."] = {}
    requests: Annotated[Resources, "What it is promised; the limits when absent."] = {}
    claims: Annotated[tuple[ResourceClaim, ...], listing("name"), "Claims of the pod that it uses."] = ()


class ContainerResizePolicy(Document):
    """What a change of one resource means for the running container."""

    resource_name: Annotated[str, "The resource."]
    restart_policy: Annotated[str, "Whether the container is restarted: NotRequired or RestartContainer."]


class Container(Document):
    """One container of a pod."""

    name: Annotated[str, DNS_LABEL, "Name of the container, unique within the pod."]
    image: Annotated[str, "Image that the container runs."] = ""
    command: Annotated[tuple[str, ...], ATOMIC, "Program to run; the image's entry point when empty."] = ()
    args: Annotated[tuple[str, ...], ATOMIC, "Arguments of the program; the image's when both are empty."] = ()
    working_dir: Annotated[str, "Folder that the program starts in; the image's when empty."] = ""
    ports: Annotated[
        tuple[ContainerPort, ...],
        listing("containerPort", "protocol", patch_key="containerPort"),
        "Ports that the container listens on.",
    ] = ()
    env_from: Annotated[tuple[EnvFromSource, ...], ATOMIC, "Objects whose keys become environment variables."] = ()
    env: Annotated[tuple[EnvVar, ...], listing("name", patch_key="name"), "Environment variables."] = ()
    resources: Annotated[ResourceRequirements, "What the container needs and what it may use at most."] = (
        ResourceRequirements()
    )
    resize_policy: Annotated[
        tuple[ContainerResizePolicy, ...], ATOMIC, "What a change of resources means for the running container."
    ] = ()
    restart_policy: Annotated[
        Literal["Always"] | None, "`Always` makes an init container a sidecar, which runs beside the containers."
    ] = None
    volume_mounts: Annotated[
        tuple[VolumeMount, ...], listing("mountPath", patch_key="mountPath"), "Where volumes appear in the container."
    ] = ()
    volume_devices: Annotated[
        tuple[VolumeDevice, ...],
        listing("devicePath", patch_key="devicePath"),
        "Where block volumes appear in the container.",
    ] = ()
    liveness_probe: Annotated[Probe | None, "When it fails, the container is restarted."] = None
    readiness_probe: Annotated[Probe | None, "While it fails, the pod gets no traffic from Services."] = None
    startup_probe: Annotated[Probe | None, "Until it succeeds, the other probes wait."] = None
    lifecycle: Annotated[Lifecycle | None, "Hooks in the container's life."] = None
    termination_message_path: Annotated[str, "File whose content becomes the message of how the container ended."] = ""
    termination_message_policy: Annotated[
        Literal["File", "FallbackToLogsOnError"] | None, "Whether the end of the log is taken when that file is empty."
    ] = None
    image_pull_policy: Annotated[Literal["Always", "Never", "IfNotPresent"] | None, "When the image is pulled."] = None
    security_context: Annotated[SecurityContext | None, "What the container's processes may do."] = None
    stdin: Annotated[bool, "Whether standard input is kept open for `attach`."] = False
    stdin_once: Annotated[bool, "Whether standard input closes after the first `attach`."] = False
    tty: Annotated[bool, "Whether the program gets a terminal; needs stdin."] = False


class EphemeralContainer(Container):
    """A container added to a running pod, to look at it."""

    ports: Annotated[
        tuple[ContainerPort, ...], listing("containerPort", "protocol", patch_key="containerPort"), "Not allowed here."
    ] = ()
    resources: Annotated[ResourceRequirements, "Not allowed here."] = ResourceRequirements()
    resize_policy: Annotated[tuple[ContainerResizePolicy, ...], ATOMIC, "Not allowed here."] = ()
    restart_policy: Annotated[Literal["Always"] | None, "Not allowed here."] = None
    liveness_probe: Annotated[Probe | None, "Not allowed here."] = None
    readiness_probe: Annotated[Probe | None, "Not allowed here."] = None
    startup_probe: Annotated[Probe | None, "Not allowed here."] = None
    lifecycle: Annotated[Lifecycle | None, "Not allowed here."] = None
    target_container_name: Annotated[str, "Container whose processes it sees."] = ""
