"""A request, once its URL is understood: what it is about, who asks, and how it is meant."""

from collections.abc import Mapping
from typing import Any, Literal

from semafor.base.struct import Value
from semafor.kube.api import errors
from semafor.kube.api.options import SEMAFOR, User
from semafor.resources.errors import invalid, not_supported, too_long
from semafor.resources.kind import Kind

Validation = Literal["Strict", "Warn", "Ignore"]
Propagation = Literal["", "Background", "Foreground", "Orphan"]


class Call(Value):
    """What a write or a read is about. `name` is empty for collections, `namespace` for cluster-scoped kinds."""

    kind: Kind
    version: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    user: User = SEMAFOR
    manager: str = "semafor"
    dry_run: bool = False
    validation: Validation = "Warn"
    force: bool = False
    trusted: bool = False  # the document comes from our own code: its types need no check before defaults are set

    @property
    def api_version(self) -> str:
        return self.kind.api_version(self.version)


_OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}


def options(method: str) -> str:
    """The kind of a request's options."""
    return _OPTIONS.get(method, "GetOptions")


def dry_run(value: str, options: str) -> bool:
    """`dryRun=All` or nothing. Raises StatusError."""
    if value not in ("", "All"):
        raise errors.wrong_option(options, not_supported("dryRun", [value], ("All",)))
    return value == "All"


def validation(value: str, options: str) -> Validation:
    """`fieldValidation`; Warn when absent, as in Kubernetes since 1.27. Raises StatusError."""
    match value:
        case "":
            return "Warn"
        case "Strict" | "Warn" | "Ignore":
            return value
    raise errors.wrong_option(options, not_supported("fieldValidation", value, ("", "Ignore", "Strict", "Warn")))


def manager(value: str, user_agent: str, options: str) -> str:
    """`fieldManager`, or the first word of the User-Agent, as kube-apiserver does. Raises StatusError."""
    if len(value) > 128:
        raise errors.wrong_option(options, too_long("fieldManager", 128))
    return value or user_agent.partition("/")[0][:128] or "unknown"


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number in the query, None when absent. Raises StatusError."""
    text = query.get(name, "")
    if text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean in the query. Raises StatusError."""
    text = query.get(name, "")
    if text.lower() not in ("", "true", "false", "1", "0"):
        raise errors.bad_request(f'strconv.ParseBool: parsing "{text}": invalid syntax ({name})')
    return text.lower() in ("true", "1")


_DELETE = "DeleteOptions"


class DeleteOptions(Value):
    """How to delete. `grace_period_s=None` means the object's own."""

    grace_period_s: int | None = None
    propagation: Propagation = ""
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False


def delete_options(body: dict[str, Any], query: Mapping[str, str]) -> DeleteOptions:
    """From the request's body, or from the query where the body says nothing. Raises StatusError."""
    grace = body.get("gracePeriodSeconds", number(query, "gracePeriodSeconds"))
    preconditions = body.get("preconditions") or {}
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise errors.bad_request(f"invalid gracePeriodSeconds: {grace!r}: must be a whole number")
    if body.get("kind") not in (None, "", _DELETE):
        raise errors.bad_request(f"the body of a deletion is a {_DELETE}, and this is a {body['kind']}")
    if not isinstance(preconditions, dict):
        raise errors.bad_request("invalid preconditions: must be an object")
    return DeleteOptions(
        grace_period_s=None if grace is None else max(grace, 0),
        propagation=_propagation(body, query),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        dry_run=_dry_run(body, query),
    )


def _dry_run(body: dict[str, Any], query: Mapping[str, str]) -> bool:
    stages = body.get("dryRun") or [query.get("dryRun", "")]
    every = stages if isinstance(stages, list) else [stages]
    return any([dry_run(str(stage), _DELETE) for stage in every])  # noqa: C419 each is looked at


def _propagation(body: dict[str, Any], query: Mapping[str, str]) -> Propagation:
    said = body.get("propagationPolicy") or query.get("propagationPolicy", "")
    if body.get("orphanDependents") is not None:
        if said:
            why = "orphanDependents and deletionPropagation cannot be both set"
            raise errors.wrong_option(_DELETE, invalid("propagationPolicy", said, why))
        return "Orphan" if body["orphanDependents"] else "Background"
    match said:
        case ("" | "Background" | "Foreground" | "Orphan") as policy:
            return policy
        case other:
            allowed = ("Background", "Foreground", "Orphan")
            raise errors.wrong_option(_DELETE, not_supported("propagationPolicy", other, allowed))
