"""A PATCH request, as a change of a document. The patching itself is done by `patch`."""

from collections.abc import Callable
from typing import Any

from semafor.kube.api import bodies, documents, errors, patch
from semafor.kube.api.call import Call
from semafor.resources import check
from semafor.resources import errors as field_errors
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.shape import shape_of

Doc = dict[str, Any]
Change = Callable[[Doc], Doc]


def accepted(kind: Kind) -> tuple[str, ...]:
    """The patch types that the kind takes, as Kubernetes: custom kinds have no strategic merge."""
    return tuple(name for name in bodies.PATCHES if not (kind.custom and name == bodies.STRATEGIC_PATCH))


def change(call: Call, content_type: str, body: bytes) -> Change:
    """What the patch does to the stored object, in the version that the client uses. Raises StatusError."""
    if content_type not in accepted(call.kind) or content_type == bodies.APPLY_PATCH:
        raise errors.unsupported_media_type(accepted(call.kind))
    value = bodies.decode_json(body).value

    def applied(old: Doc) -> Doc:
        live = {**old, "apiVersion": call.api_version}
        try:
            patched = _patched(call, content_type, live, value)
        except patch.PatchError as error:
            raise refused(error) from None
        if not isinstance(patched, dict):
            raise errors.bad_request("the patch leaves no object")
        _check(call, old, patched)
        return patched

    return applied


def _check(call: Call, old: Doc, patched: Doc) -> None:
    """What a patch leaves must still be an object of its kind, with its uid. Raises StatusError 422."""
    if patched.get("kind") != call.kind.kind:
        why = f"the kind in the data ({patched.get('kind')}) does not match the expected kind ({call.kind.kind})"
        raise errors.unprocessable(why)
    try:
        documents.understand(call, patched)
    except errors.StatusError as error:
        raise error if call.kind.custom else errors.unprocessable(error.message) from None
    uid, own = (patched.get("metadata") or {}).get("uid"), old["metadata"]["uid"]
    if uid and uid != own:
        wrong = field_errors.invalid("metadata.uid", uid, "field is immutable")
        raise errors.invalid(call.kind, call.name, [wrong])


def check_applied(call: Call, applied: Doc) -> None:
    """What is applied says what it is, and has no unknown fields: it would own them. Raises StatusError 400."""
    if call.trusted:
        return
    if not applied.get("kind") or not applied.get("apiVersion"):
        group, _, version = str(applied.get("apiVersion") or "").rpartition("/")
        raise errors.bad_request(f"invalid object type: {group}/{version}, Kind={applied.get('kind') or ''}")
    meta = applied.get("metadata")
    if isinstance(meta, dict) and meta.get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    unknown = () if call.kind.custom else check.check(call.kind, applied).unknown
    if unknown:
        version = applied["apiVersion"] if call.kind.group else f"/{applied['apiVersion']}"
        what = f"failed to create typed patch object (/{call.name}; {version}, "
        raise errors.bad_request(f"{what}Kind={applied['kind']}): .{unknown[0]}: field not declared in schema")


def plain(content_type: str, body: bytes) -> Change:
    """What a patch does to a document without lists that merge, such as a Scale. Raises StatusError."""
    if content_type not in bodies.PATCHES:
        raise errors.unsupported_media_type(bodies.PATCHES)
    value = bodies.decode_yaml(body).value if content_type == bodies.APPLY_PATCH else bodies.decode_json(body).value

    def applied(old: Doc) -> Doc:
        try:
            patched = (
                patch.apply_json_patch(old, value) if content_type == bodies.JSON_PATCH else patch.merge(old, value)
            )
        except patch.PatchError as error:
            raise errors.bad_request(str(error)) from None
        return patched if isinstance(patched, dict) else {}

    return applied


def _patched(call: Call, content_type: str, live: Doc, value: Any) -> Any:
    if content_type == bodies.JSON_PATCH:
        return patch.apply_json_patch(live, value)
    if not isinstance(value, dict):
        raise errors.bad_request("the patch must be an object")
    if content_type == bodies.MERGE_PATCH:
        return patch.merge(live, value)
    return patch.strategic(live, value, shape_of(call.kind))


def refused(error: patch.PatchError) -> errors.StatusError:
    """The status of a patch that could not be applied."""
    if isinstance(error, patch.ConflictError):
        causes = [
            FieldError(path=cause.field, reason="FieldManagerConflict", message=cause.message) for cause in error.causes
        ]
        return errors.apply_conflict(str(error), causes)
    if isinstance(error, patch.InapplicableError):
        return errors.unprocessable(str(error))
    return errors.bad_request(str(error))
