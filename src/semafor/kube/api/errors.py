"""Refusals, as Kubernetes' own Status objects, in its own words where people see them (apimachinery's api/errors).

StatusError   one class, of `base`; `reason` and `code` tell the cases apart, the functions below make them
"""

from collections.abc import Sequence
from typing import Any

from semafor.base.status_error import StatusError as StatusError  # noqa: PLC0414 for all who take it from here
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind


def _about(kind: Kind, name: str, **more: Any) -> dict[str, Any]:
    details = {"name": name, "group": kind.group, "kind": kind.plural, **more}
    return {key: value for key, value in details.items() if value not in ("", None)}


def not_found(kind: Kind, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{kind.resource} "{name}" not found', _about(kind, name))


def no_such_page() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str, *, ends: bool = False) -> StatusError:
    """`ends`: the one that there is is being deleted."""
    words = f'{kind.resource} "{name}" already exists'
    return StatusError(409, "AlreadyExists", f"object is being deleted: {words}" if ends else words, _about(kind, name))


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(kind: Kind, name: str, why: str = STALE) -> StatusError:
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, _about(kind, name))


def deletion_conflict(kind: Kind, name: str, why: str) -> StatusError:
    """A precondition of a deletion fails; kube-apiserver speaks of the kind here, not of the resource."""
    of = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = {**_about(kind, name), "kind": kind.kind}
    return StatusError(409, "Conflict", f'Operation cannot be fulfilled on {of} "{name}": {why}', details)


def apply_conflict(message: str, causes: Sequence[FieldError]) -> StatusError:
    """Server-side apply found fields that another manager owns; kubectl shows the causes and how to go on."""
    return StatusError(409, "Conflict", message, {"causes": _causes(causes)})


def unprocessable(message: str) -> StatusError:
    """A patch that does not fit the object. The details name no object: kubectl would print its name only."""
    cause = FieldError(path="patch", reason="FieldValueInvalid", message=message)
    return StatusError(422, "Invalid", message, {"causes": _causes([cause])})


def invalid(kind: Kind, name: str, causes: Sequence[FieldError]) -> StatusError:
    """The object breaks a rule; every broken rule is one cause."""
    lines = [str(cause) for cause in causes]
    what = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = {"name": name, "group": kind.group, "kind": kind.kind, "causes": _causes(causes)}
    details = {key: value for key, value in details.items() if value != ""}
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {what}', details)


def invalid_scale(name: str, causes: Sequence[FieldError]) -> StatusError:
    """A Scale that breaks a rule."""
    details = {"name": name, "group": "autoscaling", "kind": "Scale", "causes": _causes(causes)}
    return StatusError(422, "Invalid", f'Scale.autoscaling "{name}" is invalid: {causes[0]}', details)


def _causes(causes: Sequence[FieldError]) -> list[dict[str, str]]:
    return [{"reason": cause.reason, "message": cause.message, "field": cause.path} for cause in causes]


def wrong_option(options: str, cause: FieldError) -> StatusError:
    """A parameter of the request that cannot be. `options` is the kind that it belongs to, such as ListOptions."""
    kind = f"{options}.meta.k8s.io"
    details = {"group": "meta.k8s.io", "kind": options, "causes": _causes([cause])}
    return StatusError(422, "Invalid", f'{kind} "" is invalid: {cause}', details)


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(kind: Kind, name: str, why: str) -> StatusError:
    what = f'{kind.resource} "{name}"' if name else kind.resource
    return StatusError(403, "Forbidden", f"{what} is forbidden: {why}", _about(kind, name))


def forbidden_path(message: str) -> StatusError:
    return StatusError(403, "Forbidden", message)


def method_not_allowed() -> StatusError:
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    types = ", ".join(accepted)
    return StatusError(406, "NotAcceptable", f"only the following media types are accepted: {types}", {})


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return StatusError(415, "UnsupportedMediaType", message)


def too_large(max_bytes: int) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {max_bytes}")


def gone(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def too_new(asked: int, current: int) -> StatusError:
    message = f"Too large resource version: {asked}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return StatusError(504, "Timeout", f"Timeout: {message}", {"causes": [cause], "retryAfterSeconds": 1})


def unavailable(message: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message, {"retryAfterSeconds": 1})


def internal(message: str) -> StatusError:
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def no_namespace(name: str) -> StatusError:
    return StatusError(404, "NotFound", f'namespaces "{name}" not found', {"name": name, "kind": "namespaces"})


def namespace_terminating(kind: Kind, name: str, namespace: str) -> StatusError:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = forbidden(kind, name, why)
    message = f"namespace {namespace} is being terminated"
    error.details["causes"] = [{"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}]
    return error
