"""Volumes that come from a disk or a storage service. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core.refs import LocalObjectReference
from semafor.resources.marks import ATOMIC, Labels, within


class HostPathVolumeSource(Document):
    """A file or folder of the node."""

    path: Annotated[str, "Path on the node."]
    type: Annotated[
        Literal["", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"]
        | None,
        "What must be there or is made there; empty means no check.",
    ] = None


class GCEPersistentDiskVolumeSource(Document):
    """A disk of Google Compute Engine."""

    pd_name: Annotated[str, "Name of the disk."]
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    partition: Annotated[int, "Partition to mount; 0 for the whole disk."] = 0
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class AWSElasticBlockStoreVolumeSource(Document):
    """A disk of Amazon EBS."""

    volume_id: Annotated[str, "ID of the disk."] = msgspec.field(name="volumeID")
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    partition: Annotated[int, "Partition to mount; 0 for the whole disk."] = 0
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class NFSVolumeSource(Document):
    """A folder exported by an NFS server."""

    server: Annotated[str, "Host or address of the server."]
    path: Annotated[str, "Exported path."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class ISCSIVolumeSource(Document):
    """A disk over iSCSI."""

    target_portal: Annotated[str, "Address of the target, with a port unless it is 3260."]
    iqn: Annotated[str, "Qualified name of the target."]
    lun: Annotated[int, within(0, 255), "Number of the logical unit."]
    iscsi_interface: Annotated[str, "Transport of the initiator; `default` is TCP."] = ""
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    portals: Annotated[tuple[str, ...], ATOMIC, "Further addresses of the target."] = ()
    chap_auth_discovery: Annotated[bool, "Whether discovery is authenticated by CHAP."] = False
    chap_auth_session: Annotated[bool, "Whether the session is authenticated by CHAP."] = False
    secret_ref: Annotated[LocalObjectReference | None, ATOMIC, "Secret with the CHAP credentials."] = None
    initiator_name: Annotated[str | None, "Name of the initiator, in place of the node's own."] = None


class GlusterfsVolumeSource(Document):
    """A Gluster file system."""

    endpoints: Annotated[str, "Endpoints object that names the servers."]
    path: Annotated[str, "Name of the Gluster volume."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class RBDVolumeSource(Document):
    """A Ceph block device."""

    image: Annotated[str, "Name of the RADOS image."]
    monitors: Annotated[tuple[str, ...], ATOMIC, "Addresses of the Ceph monitors."] = ()
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    pool: Annotated[str, "Name of the RADOS pool."] = ""
    user: Annotated[str, "Name of the RADOS user."] = ""
    keyring: Annotated[str, "Path of the user's key ring on the node."] = ""
    secret_ref: Annotated[
        LocalObjectReference | None, ATOMIC, "Secret with the user's credentials, in place of the key ring."
    ] = None
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class FlexVolumeSource(Document):
    """A volume made by an external program on the node."""

    driver: Annotated[str, "Name of the driver."]
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    secret_ref: Annotated[LocalObjectReference | None, ATOMIC, "Secret whose content is given to the driver."] = None
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    options: Annotated[Labels, "Further options for the driver."] = {}


class CinderVolumeSource(Document):
    """A disk of OpenStack Cinder."""

    volume_id: Annotated[str, "ID of the disk."] = msgspec.field(name="volumeID")
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    secret_ref: Annotated[LocalObjectReference | None, ATOMIC, "Secret with the credentials for OpenStack."] = None


class CephFSVolumeSource(Document):
    """A Ceph file system."""

    monitors: Annotated[tuple[str, ...], ATOMIC, "Addresses of the Ceph monitors."] = ()
    path: Annotated[str, "Folder of the file system to mount as the root."] = ""
    user: Annotated[str, "Name of the RADOS user."] = ""
    secret_file: Annotated[str, "Path of the user's key ring on the node."] = ""
    secret_ref: Annotated[
        LocalObjectReference | None, ATOMIC, "Secret with the user's credentials, in place of the file."
    ] = None
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class FlockerVolumeSource(Document):
    """A data set of Flocker."""

    dataset_name: Annotated[str, "Name of the data set."] = ""
    dataset_uuid: Annotated[str, "UUID of the data set."] = msgspec.field(name="datasetUUID", default="")


class FCVolumeSource(Document):
    """A disk over Fibre Channel."""

    target_wwns: Annotated[tuple[str, ...], ATOMIC, "World wide names of the targets."] = msgspec.field(
        name="targetWWNs", default=()
    )
    lun: Annotated[int | None, "Number of the logical unit."] = None
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    wwids: Annotated[tuple[str, ...], ATOMIC, "World wide identifiers of the disk, in place of targets and lun."] = ()


class AzureFileVolumeSource(Document):
    """A share of Azure Files."""

    secret_name: Annotated[str, "Secret with the storage account's name and key."]
    share_name: Annotated[str, "Name of the share."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class VsphereVirtualDiskVolumeSource(Document):
    """A disk of vSphere."""

    volume_path: Annotated[str, "Path of the disk's file."]
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    storage_policy_name: Annotated[str, "Name of the storage policy."] = ""
    storage_policy_id: Annotated[str, "ID of the storage policy."] = msgspec.field(name="storagePolicyID", default="")


class QuobyteVolumeSource(Document):
    """A volume of Quobyte."""

    registry: Annotated[str, "Addresses of the registry, as host:port with commas."]
    volume: Annotated[str, "Name of the volume."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    user: Annotated[str, "User that files are accessed as."] = ""
    group: Annotated[str, "Group that files are accessed as."] = ""
    tenant: Annotated[str, "Tenant that owns the volume."] = ""


class AzureDiskVolumeSource(Document):
    """A disk of Azure."""

    disk_name: Annotated[str, "Name of the disk."]
    disk_uri: Annotated[str, "URI of the disk."] = msgspec.field(name="diskURI")
    caching_mode: Annotated[Literal["None", "ReadOnly", "ReadWrite"] | None, "How the host caches the disk."] = None
    fs_type: Annotated[str | None, "File system to mount, such as ext4 or xfs."] = None
    read_only: Annotated[bool | None, "Whether it is mounted for reading only."] = None
    kind: Annotated[
        Literal["Shared", "Dedicated", "Managed"] | None, "Whether the disk is shared, dedicated or managed."
    ] = None


class PhotonPersistentDiskVolumeSource(Document):
    """A disk of Photon Controller."""

    pd_id: Annotated[str, "ID of the disk."] = msgspec.field(name="pdID")
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""


class PortworxVolumeSource(Document):
    """A volume of Portworx."""

    volume_id: Annotated[str, "ID of the volume."] = msgspec.field(name="volumeID")
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class ScaleIOVolumeSource(Document):
    """A volume of ScaleIO."""

    gateway: Annotated[str, "Address of the ScaleIO gateway."]
    system: Annotated[str, "Name of the storage system."]
    secret_ref: Annotated[LocalObjectReference, ATOMIC, "Secret with the user's credentials."]
    ssl_enabled: Annotated[bool, "Whether the gateway is spoken to over TLS."] = False
    protection_domain: Annotated[str, "Protection domain of the storage."] = ""
    storage_pool: Annotated[str, "Storage pool within the domain."] = ""
    storage_mode: Annotated[str, "ThickProvisioned or ThinProvisioned."] = ""
    volume_name: Annotated[str, "Name of the volume."] = ""
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class StorageOSVolumeSource(Document):
    """A volume of StorageOS."""

    volume_name: Annotated[str, "Name of the volume, unique within its namespace there."] = ""
    volume_namespace: Annotated[str, "Namespace within StorageOS."] = ""
    fs_type: Annotated[str, "File system to mount, such as ext4 or xfs."] = ""
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False
    secret_ref: Annotated[LocalObjectReference | None, ATOMIC, "Secret with the credentials for the API."] = None


class CSIVolumeSource(Document):
    """A short-lived volume made by a CSI driver."""

    driver: Annotated[str, "Name of the driver."]
    read_only: Annotated[bool | None, "Whether it is mounted for reading only."] = None
    fs_type: Annotated[str | None, "File system to mount, such as ext4 or xfs."] = None
    volume_attributes: Annotated[Labels, "Settings that the driver understands."] = {}
    node_publish_secret_ref: Annotated[
        LocalObjectReference | None, ATOMIC, "Secret given to the driver when it publishes the volume."
    ] = None


class GitRepoVolumeSource(Document):
    """A Git repository, cloned when the pod starts. Obsolete: clone in an init container."""

    repository: Annotated[str, "URL of the repository."]
    revision: Annotated[str, "Commit to check out."] = ""
    directory: Annotated[str, "Folder to clone into; relative, without `..`."] = ""


class ImageVolumeSource(Document):
    """The files of a container image."""

    reference: Annotated[str, "The image."] = ""
    pull_policy: Annotated[Literal["Always", "Never", "IfNotPresent"] | None, "When the image is pulled."] = None
