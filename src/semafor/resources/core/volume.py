"""A pod's volumes. Source: Kubernetes' API reference."""

from typing import Annotated

import msgspec

from semafor.base.struct import Document
from semafor.resources.core.persistent_volume_claim import PersistentVolumeClaimSpec
from semafor.resources.core.refs import KeyToPath, ObjectFieldSelector, ResourceFieldSelector
from semafor.resources.core.volume_sources import (
    AWSElasticBlockStoreVolumeSource,
    AzureDiskVolumeSource,
    AzureFileVolumeSource,
    CephFSVolumeSource,
    CinderVolumeSource,
    CSIVolumeSource,
    FCVolumeSource,
    FlexVolumeSource,
    FlockerVolumeSource,
    GCEPersistentDiskVolumeSource,
    GitRepoVolumeSource,
    GlusterfsVolumeSource,
    HostPathVolumeSource,
    ImageVolumeSource,
    ISCSIVolumeSource,
    NFSVolumeSource,
    PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource,
    QuobyteVolumeSource,
    RBDVolumeSource,
    ScaleIOVolumeSource,
    StorageOSVolumeSource,
    VsphereVirtualDiskVolumeSource,
)
from semafor.resources.marks import ATOMIC, DNS_LABEL, Quantity, within
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class EmptyDirVolumeSource(Document):
    """An empty folder that lives as long as the pod."""

    medium: Annotated[str, "Empty for the node's disk, Memory for a tmpfs."] = ""
    size_limit: Annotated[Quantity | None, "Most that the folder may hold."] = None


class SecretVolumeSource(Document):
    """The keys of a Secret, each a file."""

    secret_name: Annotated[str, "Name of the Secret."] = ""
    items: Annotated[tuple[KeyToPath, ...], ATOMIC, "Which keys become which files; all keys when empty."] = ()
    default_mode: Annotated[int | None, within(0, 0o777), "Permission bits of the files; 0644 when absent."] = None
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class ConfigMapVolumeSource(Document):
    """The keys of a ConfigMap, each a file."""

    name: Annotated[str, "Name of the ConfigMap."] = ""
    items: Annotated[tuple[KeyToPath, ...], ATOMIC, "Which keys become which files; all keys when empty."] = ()
    default_mode: Annotated[int | None, within(0, 0o777), "Permission bits of the files; 0644 when absent."] = None
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class DownwardAPIVolumeFile(Document):
    """A file with something about the pod."""

    path: Annotated[str, "Path of the file within the volume; relative and without `..`."]
    field_ref: Annotated[ObjectFieldSelector | None, ATOMIC, "A field of the pod."] = None
    resource_field_ref: Annotated[
        ResourceFieldSelector | None, ATOMIC, "A resource request or limit of a container."
    ] = None
    mode: Annotated[int | None, within(0, 0o777), "Permission bits of the file; the volume's default when absent."] = (
        None
    )


class DownwardAPIVolumeSource(Document):
    """Files with facts about the pod."""

    items: Annotated[tuple[DownwardAPIVolumeFile, ...], ATOMIC, "The files."] = ()
    default_mode: Annotated[int | None, within(0, 0o777), "Permission bits of the files; 0644 when absent."] = None


class SecretProjection(Document):
    """A Secret as a part of a projected volume."""

    name: Annotated[str, "Name of the Secret."] = ""
    items: Annotated[tuple[KeyToPath, ...], ATOMIC, "Which keys become which files; all keys when empty."] = ()
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class ConfigMapProjection(Document):
    """A ConfigMap as a part of a projected volume."""

    name: Annotated[str, "Name of the ConfigMap."] = ""
    items: Annotated[tuple[KeyToPath, ...], ATOMIC, "Which keys become which files; all keys when empty."] = ()
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class DownwardAPIProjection(Document):
    """Facts about the pod as a part of a projected volume."""

    items: Annotated[tuple[DownwardAPIVolumeFile, ...], ATOMIC, "The files."] = ()


class ServiceAccountTokenProjection(Document):
    """A token of the pod's service account, renewed before it expires."""

    path: Annotated[str, "Path of the file within the volume; relative."]
    audience: Annotated[str, "Who the token is for; the API server when empty."] = ""
    expiration_seconds: Annotated[
        int | None, within(600, 2**32), "Seconds that a token is valid; at least 600, 3600 when absent."
    ] = None


class ClusterTrustBundleProjection(Document):
    """Trust anchors from ClusterTrustBundle objects."""

    path: Annotated[str, "Path of the file within the volume; relative."]
    name: Annotated[str | None, "One bundle by name; excludes signerName and labelSelector."] = None
    signer_name: Annotated[str | None, "All bundles of this signer."] = None
    label_selector: Annotated[
        LabelSelector | None, ATOMIC, "Which bundles of the signer; none when absent, all when empty."
    ] = None
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class VolumeProjection(Document):
    """One source of a projected volume; exactly one field is set."""

    secret: Annotated[SecretProjection | None, "Keys of a Secret."] = None
    downward_api: Annotated[DownwardAPIProjection | None, "Facts about the pod."] = msgspec.field(
        name="downwardAPI", default=None
    )
    config_map: Annotated[ConfigMapProjection | None, "Keys of a ConfigMap."] = None
    service_account_token: Annotated[ServiceAccountTokenProjection | None, "A token of the pod's service account."] = (
        None
    )
    cluster_trust_bundle: Annotated[ClusterTrustBundleProjection | None, "Trust anchors."] = None


class ProjectedVolumeSource(Document):
    """Several sources in one folder."""

    sources: Annotated[tuple[VolumeProjection, ...], ATOMIC, "The sources."] = ()
    default_mode: Annotated[int | None, within(0, 0o777), "Permission bits of the files; 0644 when absent."] = None


class PersistentVolumeClaimVolumeSource(Document):
    """The storage of a claim."""

    claim_name: Annotated[str, "Name of the PersistentVolumeClaim in the pod's namespace."]
    read_only: Annotated[bool, "Whether it is mounted for reading only."] = False


class PersistentVolumeClaimTemplate(Document):
    """What the claim of an ephemeral volume looks like."""

    metadata: Annotated[ObjectMeta, "Labels and annotations of the claim."] = ObjectMeta()
    spec: Annotated[PersistentVolumeClaimSpec, "The claim's spec."] = PersistentVolumeClaimSpec()


class EphemeralVolumeSource(Document):
    """A volume whose claim is made and deleted with the pod."""

    volume_claim_template: Annotated[PersistentVolumeClaimTemplate | None, "The claim to make."] = None


class Volume(Document):
    """A named volume of a pod; exactly one source is set."""

    name: Annotated[str, DNS_LABEL, "Name that mounts refer to; unique within the pod."]
    host_path: Annotated[HostPathVolumeSource | None, "A file or folder of the node."] = None
    empty_dir: Annotated[EmptyDirVolumeSource | None, "An empty folder that lives as long as the pod."] = None
    gce_persistent_disk: Annotated[GCEPersistentDiskVolumeSource | None, "A disk of Google Compute Engine."] = None
    aws_elastic_block_store: Annotated[AWSElasticBlockStoreVolumeSource | None, "A disk of Amazon EBS."] = None
    git_repo: Annotated[GitRepoVolumeSource | None, "A Git repository. Obsolete."] = None
    secret: Annotated[SecretVolumeSource | None, "The keys of a Secret as files."] = None
    nfs: Annotated[NFSVolumeSource | None, "A folder exported by an NFS server."] = None
    iscsi: Annotated[ISCSIVolumeSource | None, "A disk over iSCSI."] = None
    glusterfs: Annotated[GlusterfsVolumeSource | None, "A Gluster file system."] = None
    persistent_volume_claim: Annotated[PersistentVolumeClaimVolumeSource | None, "The storage of a claim."] = None
    rbd: Annotated[RBDVolumeSource | None, "A Ceph block device."] = None
    flex_volume: Annotated[FlexVolumeSource | None, "A volume made by an external program."] = None
    cinder: Annotated[CinderVolumeSource | None, "A disk of OpenStack Cinder."] = None
    cephfs: Annotated[CephFSVolumeSource | None, "A Ceph file system."] = None
    flocker: Annotated[FlockerVolumeSource | None, "A data set of Flocker."] = None
    downward_api: Annotated[DownwardAPIVolumeSource | None, "Facts about the pod as files."] = msgspec.field(
        name="downwardAPI", default=None
    )
    fc: Annotated[FCVolumeSource | None, "A disk over Fibre Channel."] = None
    azure_file: Annotated[AzureFileVolumeSource | None, "A share of Azure Files."] = None
    config_map: Annotated[ConfigMapVolumeSource | None, "The keys of a ConfigMap as files."] = None
    vsphere_volume: Annotated[VsphereVirtualDiskVolumeSource | None, "A disk of vSphere."] = None
    quobyte: Annotated[QuobyteVolumeSource | None, "A volume of Quobyte."] = None
    azure_disk: Annotated[AzureDiskVolumeSource | None, "A disk of Azure."] = None
    photon_persistent_disk: Annotated[PhotonPersistentDiskVolumeSource | None, "A disk of Photon Controller."] = None
    projected: Annotated[ProjectedVolumeSource | None, "Several sources in one folder."] = None
    portworx_volume: Annotated[PortworxVolumeSource | None, "A volume of Portworx."] = None
    scale_io: Annotated[ScaleIOVolumeSource | None, "A volume of ScaleIO."] = msgspec.field(
        name="scaleIO", default=None
    )
    storageos: Annotated[StorageOSVolumeSource | None, "A volume of StorageOS."] = None
    csi: Annotated[CSIVolumeSource | None, "A short-lived volume made by a CSI driver."] = None
    ephemeral: Annotated[EphemeralVolumeSource | None, "A volume whose claim lives as long as the pod."] = None
    image: Annotated[ImageVolumeSource | None, "The files of a container image."] = None
