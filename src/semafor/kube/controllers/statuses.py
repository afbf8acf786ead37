"""Writing a status as a whole: a merge patch keeps what it does not name, so what has gone is named with null."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.resources.kind import Kind

Doc = dict[str, Any]


async def replace(client: Client, kind: Kind, obj: Doc, status: Doc) -> None:
    """Make `status` the object's status, when it is not that already. `obj` is the object as stored."""
    old = obj.get("status") or {}
    if old == status:
        return
    gone = {field: None for field in old if field not in status}
    metadata = obj["metadata"]
    patch = {"status": {**gone, **status}}
    await client.patch(kind, metadata.get("namespace", ""), metadata["name"], patch, subresource="status")
