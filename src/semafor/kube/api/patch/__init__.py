"""Patches of JSON documents: JSON patch, merge patch, strategic merge patch, server-side apply.

In: a document as stored, a patch as the client sent it, the shape of the kind's fields. Out: a new document, or a
PatchError that says what to mend. It never changes its inputs, never reads a clock and never decides whether the
result is a valid object.

    apply_json_patch(doc, ops)        RFC 6902
    merge(doc, patch)                 RFC 7386
    strategic(doc, patch, schema)     Kubernetes' own, with merge keys and directives
    server_side.apply / track         field ownership in metadata.managedFields
"""

from semafor.kube.api.patch import server_side
from semafor.kube.api.patch.errors import ConflictError, InapplicableError, MalformedError, PatchError
from semafor.kube.api.patch.json_patch import apply_json_patch
from semafor.kube.api.patch.merge_patch import merge
from semafor.kube.api.patch.strategic import strategic

__all__ = [
    "ConflictError",
    "InapplicableError",
    "MalformedError",
    "PatchError",
    "apply_json_patch",
    "merge",
    "server_side",
    "strategic",
]
