"""PersistentVolumeClaims: bound to a volume that fits, or to a folder that is made for them.

In: claims, volumes, classes, pods. Out: the two bound to each other, folders below `folder` for classes of ours, and
both gone with the claim where the volume says so. `fitting` is pure.

Source: Kubernetes' pv_controller.go and its pvc-protection controller.
"""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.controllers import ownership, pods, statuses
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources import quantity, selector
from semafor.resources.core.persistent_volume import KIND as VOLUME
from semafor.resources.core.persistent_volume_claim import KIND as CLAIM
from semafor.resources.core.pod import KIND as POD
from semafor.resources.storage.storage_class import KIND as CLASS

Doc = dict[str, Any]

PROVISIONER = "semafor.dev/folder"
PROTECTION = "kubernetes.io/pvc-protection"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_SOURCE = "persistentvolume-controller"


class Claims:
    """The controller of claims and of volumes; a volume's key has no namespace. `folder` holds the data."""

    def __init__(self, client: Client, folder: Path, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (
            Watch(CLAIM, self._of_claim),
            Watch(VOLUME, self._of_volume),
            Watch(CLASS, lambda _: self._pending()),
            Watch(POD, _of_pod),
        )
        self._client = client
        self._folder = folder
        self._now = now

    async def reconcile(self, key: Key) -> None:
        if not key.namespace:
            await self._volume(key.name)
            return
        claim = self._client.get(CLAIM, *key)
        if claim is None:
            return
        if ownership.leaving(claim):
            await self._let_go(claim)
        elif not claim["spec"].get("volumeName"):
            await self._bind(claim)
        else:
            await self._told(claim)

    def _of_claim(self, claim: Doc) -> tuple[Key, ...]:
        bound = claim["spec"].get("volumeName")
        return (*own(claim), *((Key("", bound),) if bound else ()))

    def _of_volume(self, volume: Doc) -> list[Key]:
        holder = volume["spec"].get("claimRef")
        held = [Key(holder["namespace"], holder["name"])] if holder else self._pending()
        return [*own(volume), *held]

    def _pending(self) -> list[Key]:
        return [key for claim in self._client.list(CLAIM) if not claim["spec"].get("volumeName") for key in own(claim)]

    async def _bind(self, claim: Doc) -> None:
        volume = fitting(claim, self._client.list(VOLUME)) or await self._provisioned(claim)
        if volume is None:
            return
        metadata, name = claim["metadata"], volume["metadata"]["name"]
        holder = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": metadata["uid"]}
        holder |= {"namespace": metadata["namespace"], "name": metadata["name"]}
        await self._client.patch(VOLUME, "", name, {"spec": {"claimRef": holder}})
        where = (metadata["namespace"], metadata["name"])
        await self._client.patch(CLAIM, *where, {"spec": {"volumeName": name}})

    async def _provisioned(self, claim: Doc) -> Doc | None:
        """A volume made for the claim, when its class is one of ours."""
        name = claim["spec"].get("storageClassName", "")
        found = self._client.get(CLASS, "", name) if name else None
        if found is None:
            missing = f'storageclass.storage.k8s.io "{name}" not found'
            why = missing if name else "no persistent volumes available for this claim and no storage class is set"
            await self._note(
                claim, "Warning" if name else "Normal", "ProvisioningFailed" if name else "FailedBinding", why
            )
            return None
        if found["provisioner"] != PROVISIONER:
            why = f"Waiting for a volume to be created by the external provisioner '{found['provisioner']}'"
            await self._note(claim, "Normal", "ExternalProvisioning", why)
            return None
        volume = new_volume(claim, found, self._folder)
        path = Path(volume["spec"]["hostPath"]["path"])
        await asyncio.to_thread(_make, self._folder, path)
        made = self._client.get(VOLUME, "", volume["metadata"]["name"]) or await self._client.create(VOLUME, volume)
        words = f"Successfully provisioned volume {made['metadata']['name']}"
        await self._note(claim, "Normal", "ProvisioningSucceeded", words)
        return made

    async def _told(self, claim: Doc) -> None:
        """A claim says what it has; one whose volume is gone has lost its data."""
        volume = self._client.get(VOLUME, "", claim["spec"]["volumeName"])
        if volume is None:
            await statuses.replace(self._client, CLAIM, claim, {"phase": "Lost"})
            return
        spec = volume["spec"]
        told = {"phase": "Bound", "accessModes": spec.get("accessModes", []), "capacity": spec.get("capacity", {})}
        await statuses.replace(self._client, CLAIM, claim, told)

    async def _let_go(self, claim: Doc) -> None:
        """A claim that is deleted goes when no pod uses it any more."""
        metadata = claim["metadata"]
        finalizers = metadata.get("finalizers", [])
        users = (each for each in self._client.list(POD, metadata["namespace"]) if not pods.is_finished(each))
        if PROTECTION in finalizers and not any(metadata["name"] in claimed(each) for each in users):
            rest = [each for each in finalizers if each != PROTECTION]
            patch = {"metadata": {"uid": metadata["uid"], "finalizers": rest}}
            await self._client.patch(CLAIM, metadata["namespace"], metadata["name"], patch)

    async def _volume(self, name: str) -> None:
        """A volume says whether it is free; what was made for a claim goes with it."""
        volume = self._client.get(VOLUME, "", name)
        if volume is None or ownership.leaving(volume):
            return
        phase = self._phase(volume)
        deletes = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        if phase == "Released" and deletes and _is_ours(volume, self._folder):
            await asyncio.to_thread(shutil.rmtree, volume["spec"]["hostPath"]["path"], ignore_errors=True)
            await self._client.delete(VOLUME, "", name, uid=volume["metadata"]["uid"])
            return
        before = volume.get("status", {})
        since = before.get("lastPhaseTransitionTime") if before.get("phase") == phase else None
        status = {"phase": phase, "lastPhaseTransitionTime": since or clock.stamp(self._now())}
        await statuses.replace(self._client, VOLUME, volume, status)

    def _phase(self, volume: Doc) -> str:
        holder = volume["spec"].get("claimRef")
        if not holder or not holder.get("uid"):
            return "Available"
        claim = self._client.get(CLAIM, holder["namespace"], holder["name"])
        return "Bound" if claim and claim["metadata"]["uid"] == holder["uid"] else "Released"

    async def _note(self, claim: Doc, type_: str, reason: str, message: str) -> None:
        await self._client.event(claim, type_, reason, message, source=_SOURCE)


def fitting(claim: Doc, volumes: Sequence[Doc]) -> Doc | None:
    """The volume that is kept for the claim, else the smallest free one that has what it asks for."""
    spec, metadata = claim["spec"], claim["metadata"]
    wanted = quantity.parse(spec.get("resources", {}).get("requests", {}).get("storage", "0"))
    found = []
    for volume in volumes:
        place = volume["spec"]
        holder = place.get("claimRef")
        size = quantity.parse(place.get("capacity", {}).get("storage", "0"))
        if ownership.leaving(volume) or size < wanted:
            continue
        if holder:
            kept = (holder.get("namespace"), holder.get("name")) == (metadata["namespace"], metadata["name"])
            if kept and holder.get("uid", metadata["uid"]) == metadata["uid"]:
                return volume
        elif _fits(spec, volume):
            found.append((size, volume["metadata"]["name"], volume))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _fits(wanted: Doc, volume: Doc) -> bool:
    place = volume["spec"]
    same = all(
        wanted.get(field, default) == place.get(field, default)
        for field, default in (("storageClassName", ""), ("volumeMode", "Filesystem"))
    )
    labels = volume["metadata"].get("labels", {})
    chosen = "selector" not in wanted or selector.matches(wanted["selector"], labels)
    return same and chosen and set(wanted.get("accessModes", ())) <= set(place.get("accessModes", ()))


def new_volume(claim: Doc, class_: Doc, folder: Path) -> Doc:
    """The volume that is made for a claim: a folder of its own. Its size is a promise that nothing enforces."""
    spec, metadata = claim["spec"], claim["metadata"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": class_.get("reclaimPolicy", "Delete"),
            "storageClassName": class_["metadata"]["name"],
            "volumeMode": "Filesystem",
            "hostPath": {"path": str(folder / name), "type": "Directory"},
        },
    }


def _make(folder: Path, path: Path) -> None:
    """A folder that every user of the pod can write to, in one that no other user of the machine can enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.mkdir(exist_ok=True)
    path.chmod(0o777)


def _is_ours(volume: Doc, folder: Path) -> bool:
    """Whether we made the volume's folder: what anybody writes into a volume must not make us delete other files."""
    path = volume["spec"].get("hostPath", {}).get("path", "")
    noted = volume["metadata"].get("annotations", {}).get(_PROVISIONED_BY) == PROVISIONER
    return bool(noted and path == str(folder / volume["metadata"]["name"]))


def claimed(pod: Doc) -> frozenset[str]:
    """The names of the claims that a pod mounts."""
    volumes = pod["spec"].get("volumes") or ()
    return frozenset(each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each)


def _of_pod(pod: Doc) -> list[Key]:
    """A pod that ends may be the last that kept a claim."""
    return [Key(pod["metadata"]["namespace"], name) for name in sorted(claimed(pod))]
