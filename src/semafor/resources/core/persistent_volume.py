"""PersistentVolume: a piece of storage in the cluster. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core.affinity import NodeSelector
from semafor.resources.core.refs import ObjectReference, SecretReference
from semafor.resources.core.volume_sources import (
    AWSElasticBlockStoreVolumeSource,
    AzureDiskVolumeSource,
    AzureFileVolumeSource,
    CephFSVolumeSource,
    CinderVolumeSource,
    FCVolumeSource,
    FlexVolumeSource,
    FlockerVolumeSource,
    GCEPersistentDiskVolumeSource,
    GlusterfsVolumeSource,
    HostPathVolumeSource,
    ISCSIVolumeSource,
    NFSVolumeSource,
    PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource,
    QuobyteVolumeSource,
    RBDVolumeSource,
    ScaleIOVolumeSource,
    VsphereVirtualDiskVolumeSource,
)
from semafor.resources.defaulting import fill, inside
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Labels, Resources, Time
from semafor.resources.meta.meta import ObjectMeta


class GlusterfsPersistentVolumeSource(GlusterfsVolumeSource):
    """A Gluster file system."""

    endpoints_namespace: Annotated[str | None, "Namespace of the Endpoints object; the claim's when absent."] = None


class RBDPersistentVolumeSource(RBDVolumeSource):
    """A Ceph block device."""

    secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret with the user's credentials, in place of the key ring."
    ] = None


class ISCSIPersistentVolumeSource(ISCSIVolumeSource):
    """A disk over iSCSI."""

    secret_ref: Annotated[SecretReference | None, ATOMIC, "Secret with the CHAP credentials."] = None


class CinderPersistentVolumeSource(CinderVolumeSource):
    """A disk of OpenStack Cinder."""

    secret_ref: Annotated[SecretReference | None, ATOMIC, "Secret with the credentials for OpenStack."] = None


class CephFSPersistentVolumeSource(CephFSVolumeSource):
    """A Ceph file system."""

    secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret with the user's credentials, in place of the file."
    ] = None


class FlexPersistentVolumeSource(FlexVolumeSource):
    """A volume made by an external program on the node."""

    secret_ref: Annotated[SecretReference | None, ATOMIC, "Secret whose content is given to the driver."] = None


class AzureFilePersistentVolumeSource(AzureFileVolumeSource):
    """A share of Azure Files."""

    secret_namespace: Annotated[str | None, "Namespace of the Secret; the pod's when absent."] = None


class ScaleIOPersistentVolumeSource(ScaleIOVolumeSource):
    """A volume of ScaleIO."""

    secret_ref: Annotated[SecretReference, ATOMIC, "Secret with the user's credentials."]


class LocalVolumeSource(Document):
    """A disk or folder of one node."""

    path: Annotated[str, "Path on the node."]
    fs_type: Annotated[str | None, "File system to mount, such as ext4 or xfs."] = None


class StorageOSPersistentVolumeSource(Document):
    """A volume of StorageOS."""

    volume_name: Annotated[str, "Name of the volume, unique within its namespace there."] = ""
    volume_namespace: Annotated[str, "Namespace within StorageOS."] = ""
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    secret_ref: Annotated[ObjectReference | None, ATOMIC, "Secret with the credentials for the API."] = None


class CSIPersistentVolumeSource(Document):
    """Storage managed by a CSI driver."""

    driver: Annotated[str, "Name of the driver."]
    volume_handle: Annotated[str, "The driver's own name for the volume."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    volume_attributes: Annotated[Labels, "Settings that the driver understands."] = {}
    controller_publish_secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret given to the driver when it attaches the volume."
    ] = None
    node_stage_secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret given to the driver when it stages the volume on a node."
    ] = None
    node_publish_secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret given to the driver when it publishes the volume."
    ] = None
    controller_expand_secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret given to the driver when it grows the volume."
    ] = None
    node_expand_secret_ref: Annotated[
        SecretReference | None, ATOMIC, "Secret given to the driver when it grows the volume on a node."
    ] = None


class VolumeNodeAffinity(Document):
    """Nodes that can reach the volume."""

    required: Annotated[NodeSelector | None, ATOMIC, "Conditions that a node must meet."] = None


class PersistentVolumeSpec(Document):
    """What a piece of storage is; exactly one source is set."""

    capacity: Annotated[Resources, "Size of the volume."] = {}
    gce_persistent_disk: Annotated[GCEPersistentDiskVolumeSource | None, "A disk of Google Compute Engine."] = None
    aws_elastic_block_store: Annotated[AWSElasticBlockStoreVolumeSource | None, "A disk of Amazon EBS."] = None
    host_path: Annotated[HostPathVolumeSource | None, "A file or folder of the node."] = None
    glusterfs: Annotated[GlusterfsPersistentVolumeSource | None, "A Gluster file system."] = None
    nfs: Annotated[NFSVolumeSource | None, "A folder exported by an NFS server."] = None
    rbd: Annotated[RBDPersistentVolumeSource | None, "A Ceph block device."] = None
    iscsi: Annotated[ISCSIPersistentVolumeSource | None, "A disk over iSCSI."] = None
    cinder: Annotated[CinderPersistentVolumeSource | None, "A disk of OpenStack Cinder."] = None
    cephfs: Annotated[CephFSPersistentVolumeSource | None, "A Ceph file system."] = None
    fc: Annotated[FCVolumeSource | None, "A disk over Fibre Channel."] = None
    flocker: Annotated[FlockerVolumeSource | None, "A data set of Flocker."] = None
    flex_volume: Annotated[FlexPersistentVolumeSource | None, "A volume made by an external program."] = None
    azure_file: Annotated[AzureFilePersistentVolumeSource | None, "A share of Azure Files."] = None
    vsphere_volume: Annotated[VsphereVirtualDiskVolumeSource | None, "A disk of vSphere."] = None
    quobyte: Annotated[QuobyteVolumeSource | None, "A volume of Quobyte."] = None
    azure_disk: Annotated[AzureDiskVolumeSource | None, "A disk of Azure."] = None
    photon_persistent_disk: Annotated[PhotonPersistentDiskVolumeSource | None, "A disk of Photon Controller."] = None
    portworx_volume: Annotated[PortworxVolumeSource | None, "A volume of Portworx."] = None
    scale_io: Annotated[ScaleIOPersistentVolumeSource | None, "A volume of ScaleIO."] = msgspec.field(
        name="scaleIO", default=None
    )
    local: Annotated[LocalVolumeSource | None, "A disk or folder of one node."] = None
    storageos: Annotated[StorageOSPersistentVolumeSource | None, "A volume of StorageOS."] = None
    csi: Annotated[CSIPersistentVolumeSource | None, "Storage managed by a CSI driver."] = None
    access_modes: Annotated[
        tuple[Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"], ...],
        ATOMIC,
        "How many nodes and pods can read and write.",
    ] = ()
    claim_ref: Annotated[ObjectReference | None, ATOMIC, "The claim that the volume is bound to."] = None
    persistent_volume_reclaim_policy: Annotated[
        Literal["Recycle", "Delete", "Retain"] | None, "What happens to the volume when its claim is gone."
    ] = None
    storage_class_name: Annotated[str, "Storage class that the volume belongs to."] = ""
    mount_options: Annotated[tuple[str, ...], ATOMIC, "Options of mount, such as ro or soft."] = ()
    volume_mode: Annotated[
        Literal["Block", "Filesystem"] | None, "Whether it is a file system or a raw block device."
    ] = None
    node_affinity: Annotated[VolumeNodeAffinity | None, "Nodes that can reach the volume."] = None
    volume_attributes_class_name: Annotated[str | None, "Class of attributes that can be changed later."] = None


class PersistentVolumeStatus(Document):
    """The state of a piece of storage."""

    phase: Annotated[
        Literal["Pending", "Available", "Bound", "Released", "Failed"] | None,
        "Whether it is free, bound, released or failed.",
    ] = None
    message: Annotated[str, "The same for people."] = ""
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    last_phase_transition_time: Annotated[Time | None, "When the phase last changed."] = None


class PersistentVolume(Document):
    """A piece of storage in the cluster."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "PersistentVolume"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[PersistentVolumeSpec, "What is wanted."] = PersistentVolumeSpec()
    status: Annotated[PersistentVolumeStatus, "What is."] = PersistentVolumeStatus()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Kept when its claim goes, and a file system."""
    filled = {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"}
    doc = inside(doc, "spec", lambda spec: fill(spec, filled))
    return {**doc, "status": fill(doc.get("status", {}), {"phase": "Pending"})}


KIND = Kind(
    group="",
    versions=("v1",),
    kind="PersistentVolume",
    plural="persistentvolumes",
    document=PersistentVolume,
    short=("pv",),
    namespaced=False,
    subresources=("status",),
    defaults=defaults,
)
