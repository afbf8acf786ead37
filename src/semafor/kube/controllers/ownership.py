"""Who owns whom: controller references, adoption and release. Pure, apart from the two functions that write."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.resources import selector
from semafor.resources.kind import Kind

Doc = dict[str, Any]


def reference(owner: Doc) -> Doc:
    """The controller reference to `owner` that its dependents carry."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Doc) -> Doc | None:
    """The reference to the object's controller."""
    return next((ref for ref in obj["metadata"].get("ownerReferences", ()) if ref.get("controller")), None)


def owned(obj: Doc, owner: Doc) -> bool:
    controller = controller_of(obj)
    return controller is not None and bool(controller["uid"] == owner["metadata"]["uid"])


def leaving(obj: Doc) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in obj["metadata"]


async def claim(client: Client, kind: Kind, owner: Doc) -> list[Doc]:
    """The objects of `kind` that belong to `owner`: its own, and orphans that its selector matches, which it adopts.

    Its own that the selector matches no more are released. Source: Kubernetes' ControllerRefManager.
    """
    metadata = owner["metadata"]
    claimed = []
    for obj in client.list(kind, metadata["namespace"]):
        matches = selector.matches(owner["spec"].get("selector"), obj["metadata"].get("labels", {}))
        if owned(obj, owner):
            if matches or leaving(owner):
                claimed.append(obj)
            else:
                await _set_references(client, kind, obj, _without(obj, owner))
        elif matches and controller_of(obj) is None and not leaving(obj) and not leaving(owner):
            references = [*obj["metadata"].get("ownerReferences", ()), reference(owner)]
            claimed.append(await _set_references(client, kind, obj, references))
    return claimed


def _without(obj: Doc, owner: Doc) -> list[Doc]:
    return [ref for ref in obj["metadata"]["ownerReferences"] if ref["uid"] != owner["metadata"]["uid"]]


async def _set_references(client: Client, kind: Kind, obj: Doc, references: list[Doc]) -> Doc:
    metadata = obj["metadata"]
    patch = {"metadata": {"uid": metadata["uid"], "ownerReferences": references}}
    return await client.patch(kind, metadata["namespace"], metadata["name"], patch)
