"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, for `kubectl rollout history` and `undo`.

Source: Kubernetes' pkg/controller/history.
"""

import copy
from collections.abc import Collection, Sequence
from typing import Any

from semafor.kube.api.client import Client
from semafor.kube.controllers import ownership, rollout
from semafor.resources.apps.controller_revision import KIND

Doc = dict[str, Any]

LABEL = "controller-revision-hash"
_HISTORY_LIMIT = 10  # Kubernetes' default of revisionHistoryLimit


def template(revision: Doc) -> Doc:
    """The pod template that the revision remembers."""
    kept: Doc = revision["data"]["spec"]["template"]
    return {field: value for field, value in kept.items() if field != "$patch"}


async def current(client: Client, owner: Doc) -> tuple[Doc, list[Doc]]:
    """The revision of the owner's present template, the newest of all, and every revision, oldest first."""
    namespace = owner["metadata"]["namespace"]
    own = [each for each in client.list(KIND, namespace) if ownership.owned(each, owner)]
    own.sort(key=_number)
    wanted = owner["spec"]["template"]
    found = next((each for each in reversed(own) if rollout.same_template(template(each), wanted)), None)
    newest = _number(own[-1]) if own else 0
    if found is None:
        found = await client.create(KIND, _new(owner, newest + 1))
        own.append(found)
    elif _number(found) < newest:
        found = await client.patch(KIND, namespace, found["metadata"]["name"], {"revision": newest + 1})
        own = [*(each for each in own if each["metadata"]["uid"] != found["metadata"]["uid"]), found]
    return found, own


async def forget(client: Client, owner: Doc, own: Sequence[Doc], used: Collection[str]) -> None:
    """Delete the oldest revisions beyond the history that is kept; `used` are names of those that pods have."""
    limit = owner["spec"].get("revisionHistoryLimit", _HISTORY_LIMIT)
    unused = [each for each in own if each["metadata"]["name"] not in used]
    for each in unused[: max(0, len(unused) - limit)]:
        await client.delete(KIND, each["metadata"]["namespace"], each["metadata"]["name"])


def _number(revision: Doc) -> int:
    return int(revision["revision"])


def _new(owner: Doc, number: int) -> Doc:
    metadata, wanted = owner["metadata"], owner["spec"]["template"]
    name = rollout.template_hash(wanted)
    cause = "kubernetes.io/change-cause"
    noted = {key: value for key, value in metadata.get("annotations", {}).items() if key == cause}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{metadata['name']}-{name}",
            "namespace": metadata["namespace"],
            "labels": {**wanted.get("metadata", {}).get("labels", {}), "controller.kubernetes.io/hash": name},
            "annotations": noted,
            "ownerReferences": [ownership.reference(owner)],
        },
        # kubectl applies this as a strategic merge patch: the template is to replace the present one as a whole.
        "data": {"spec": {"template": {**copy.deepcopy(wanted), "$patch": "replace"}}},
        "revision": number,
    }
