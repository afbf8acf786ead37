"""References from one object to another. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.marks import CONFIG_KEY, Quantity, within


class LocalObjectReference(Document):
    """An object of the same namespace, by its name."""

    name: Annotated[str, "Name of the object."] = ""


class ObjectReference(Document):
    """An object of any kind, or a part of one."""

    kind: Annotated[str, "Kind of the object referred to."] = ""
    namespace: Annotated[str, "Namespace of the object."] = ""
    name: Annotated[str, "Name of the object."] = ""
    uid: Annotated[str, "UID of the object."] = ""
    api_version: Annotated[str, "API version of the object."] = ""
    resource_version: Annotated[str, "Version of the object that is meant."] = ""
    field_path: Annotated[str, "The part of the object that is meant, such as spec.containers{web}."] = ""


class SecretReference(LocalObjectReference):
    """A Secret in any namespace."""

    namespace: Annotated[str, "Namespace of the Secret."] = ""


class TypedLocalObjectReference(Document):
    """An object of the same namespace, by group, kind and name."""

    kind: Annotated[str, "Kind of the object referred to."]
    name: Annotated[str, "Name of the object."]
    api_group: Annotated[str | None, "API group of the object; empty for the core group."] = None


class TypedObjectReference(Document):
    """An object of a given kind, perhaps in another namespace."""

    kind: Annotated[str, "Kind of the object referred to."]
    name: Annotated[str, "Name of the object."]
    api_group: Annotated[str | None, "API group of the object; empty for the core group."] = None
    namespace: Annotated[
        str | None, "Namespace of the object; another one than the claim's needs a ReferenceGrant."
    ] = None


class ConfigMapKeySelector(Document):
    """One key of a ConfigMap."""

    key: Annotated[str, "The key."]
    name: Annotated[str, "Name of the ConfigMap."] = ""
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class SecretKeySelector(Document):
    """One key of a Secret."""

    key: Annotated[str, "The key."]
    name: Annotated[str, "Name of the Secret."] = ""
    optional: Annotated[bool | None, "Whether the pod may start when the object or the key does not exist."] = None


class ObjectFieldSelector(Document):
    """A field of the pod itself."""

    field_path: Annotated[str, "Path of the field, such as metadata.name or status.podIP."]
    api_version: Annotated[str, "Version of the pod's schema; v1."] = ""


class ResourceFieldSelector(Document):
    """A resource request or limit of a container."""

    resource: Annotated[str, "The resource, such as limits.cpu or requests.memory."]
    container_name: Annotated[str, "The container; needed in volumes, optional in environment variables."] = ""
    divisor: Annotated[Quantity | None, "Unit in which the value is given; 1 when absent."] = None


class KeyToPath(Document):
    """Which file one key becomes."""

    key: Annotated[str, CONFIG_KEY, "The key."]
    path: Annotated[str, "Path of the file within the volume; relative and without `..`."]
    mode: Annotated[int | None, within(0, 0o777), "Permission bits of the file; the volume's default when absent."] = (
        None
    )
