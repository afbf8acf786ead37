"""What a pod's claims stand for: the path of the volume that each is bound to."""

from typing import Any

from semafor.kube.node.payload import VolumeError
from semafor.kube.node.roles import Api
from semafor.resources.core import persistent_volume, persistent_volume_claim

Json = dict[str, Any]


def resolved(api: Api, pod: Json) -> Json:
    """The pod with the volumes in place of its claims. Raises VolumeError while a claim has none."""
    given = pod["spec"].get("volumes") or []
    if not any("persistentVolumeClaim" in volume for volume in given):
        return pod
    namespace = pod["metadata"]["namespace"]
    return {**pod, "spec": {**pod["spec"], "volumes": [_resolved(api, namespace, volume) for volume in given]}}


def _resolved(api: Api, namespace: str, volume: Json) -> Json:
    if "persistentVolumeClaim" not in volume:
        return volume
    name = volume["persistentVolumeClaim"]["claimName"]
    claim = api.get(persistent_volume_claim.KIND, namespace, name)
    if claim is None:
        raise VolumeError(f'persistentvolumeclaim "{name}" not found')
    if (claim.get("status") or {}).get("phase") != "Bound":
        raise VolumeError(f'persistentvolumeclaim "{name}" is not bound to a volume')
    bound = api.get(persistent_volume.KIND, "", claim["spec"]["volumeName"])
    if bound is None:
        raise VolumeError(f'the volume "{claim["spec"]["volumeName"]}" of persistentvolumeclaim "{name}" is gone')
    return {"name": volume["name"], **_source(bound)}


def _source(bound: Json) -> Json:
    spec = bound["spec"]
    if "local" in spec:
        return {"hostPath": {"path": spec["local"]["path"], "type": "Directory"}}
    if "hostPath" in spec:
        return {"hostPath": spec["hostPath"]}
    raise VolumeError(f"the volume {bound['metadata']['name']} is of a type that this node does not support")
