"""Security contexts of pods and containers. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC, within


class SELinuxOptions(Document):
    """Labels of SELinux."""

    user: Annotated[str, "User label."] = ""
    role: Annotated[str, "Role label."] = ""
    type: Annotated[str, "Type label."] = ""
    level: Annotated[str, "Level label."] = ""


class WindowsSecurityContextOptions(Document):
    """Settings for Windows containers."""

    gmsa_credential_spec_name: Annotated[str | None, "Name of the GMSA credential spec."] = None
    gmsa_credential_spec: Annotated[str | None, "Content of the GMSA credential spec."] = None
    run_as_user_name: Annotated[str | None, "User that the first process runs as."] = None
    host_process: Annotated[bool | None, "Whether the container runs as a process of the host."] = None


class SeccompProfile(Document):
    """Which system calls are allowed."""

    type: Annotated[Literal["Unconfined", "RuntimeDefault", "Localhost"], "Where the profile comes from."]
    localhost_profile: Annotated[
        str | None, "File of the profile, relative to the node's folder of profiles; for type Localhost."
    ] = None


class AppArmorProfile(Document):
    """What AppArmor allows."""

    type: Annotated[Literal["Unconfined", "RuntimeDefault", "Localhost"], "Where the profile comes from."]
    localhost_profile: Annotated[
        str | None, "File of the profile, relative to the node's folder of profiles; for type Localhost."
    ] = None


class Capabilities(Document):
    """Linux capabilities given and taken."""

    add: Annotated[tuple[str, ...], ATOMIC, "Capabilities to give."] = ()
    drop: Annotated[tuple[str, ...], ATOMIC, "Capabilities to take away; ALL means all."] = ()


class SecurityContext(Document):
    """What a container's processes may do; stands above the pod's settings."""

    capabilities: Annotated[Capabilities | None, "Linux capabilities given and taken."] = None
    privileged: Annotated[bool | None, "Whether the container is as mighty as root on the node."] = None
    se_linux_options: Annotated[SELinuxOptions | None, "Labels of SELinux."] = None
    windows_options: Annotated[WindowsSecurityContextOptions | None, "Settings for Windows containers."] = None
    run_as_user: Annotated[int | None, within(0, 2**31 - 1), "User id of the processes; the image's when absent."] = (
        None
    )
    run_as_group: Annotated[int | None, within(0, 2**31 - 1), "Group id of the processes."] = None
    run_as_non_root: Annotated[bool | None, "Whether the container must refuse to start as root."] = None
    read_only_root_filesystem: Annotated[bool | None, "Whether the root file system is read-only."] = None
    allow_privilege_escalation: Annotated[bool | None, "Whether a process may gain more rights than its parent."] = None
    proc_mount: Annotated[Literal["Default", "Unmasked"] | None, "How /proc is mounted."] = None
    seccomp_profile: Annotated[SeccompProfile | None, "Which system calls are allowed."] = None
    app_armor_profile: Annotated[AppArmorProfile | None, "What AppArmor allows."] = None


class Sysctl(Document):
    """A kernel setting of the pod."""

    name: Annotated[str, "Name of the setting."]
    value: Annotated[str, "Value of the setting."] = ""


class PodSecurityContext(Document):
    """What all containers' processes may do; a container's own settings stand above it."""

    se_linux_options: Annotated[SELinuxOptions | None, "Labels of SELinux."] = None
    windows_options: Annotated[WindowsSecurityContextOptions | None, "Settings for Windows containers."] = None
    run_as_user: Annotated[int | None, within(0, 2**31 - 1), "User id of the processes; the image's when absent."] = (
        None
    )
    run_as_group: Annotated[int | None, within(0, 2**31 - 1), "Group id of the processes."] = None
    run_as_non_root: Annotated[bool | None, "Whether containers must refuse to start as root."] = None
    supplemental_groups: Annotated[tuple[int, ...], ATOMIC, "Further groups of the processes."] = ()
    supplemental_groups_policy: Annotated[
        Literal["Merge", "Strict"] | None, "Whether groups in the image count besides."
    ] = None
    fs_group: Annotated[int | None, within(0, 2**31 - 1), "Group that owns the volumes' files."] = None
    sysctls: Annotated[tuple[Sysctl, ...], ATOMIC, "Kernel settings of the pod."] = ()
    fs_group_change_policy: Annotated[
        Literal["OnRootMismatch", "Always"] | None, "When the volumes' owner is changed to fsGroup."
    ] = None
    seccomp_profile: Annotated[SeccompProfile | None, "Which system calls are allowed."] = None
    app_armor_profile: Annotated[AppArmorProfile | None, "What AppArmor allows."] = None
    se_linux_change_policy: Annotated[str | None, "How volumes get the SELinux label: MountOption or Recursive."] = None
