"""A request, once its URL is understood: what it is about, who asks, and how it is meant."""

from collections.abc import Mapping
from typing import Any, Literal

from semafor.base.struct import Value
from semafor.kube.api import errors
from semafor.kube.api.options import SEMAFOR, User
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


def dry_run(value: str) -> bool:
    """`dryRun=All` or nothing. Raises StatusError."""
    if value not in ("", "All"):
        raise errors.bad_request(f'invalid dryRun: Unsupported value: "{value}": supported values: "All"')
    return value == "All"


def validation(value: str) -> Validation:
    """`fieldValidation`; Warn when absent, as in Kubernetes since 1.27. Raises StatusError."""
    match value:
        case "":
            return "Warn"
        case "Strict" | "Warn" | "Ignore":
            return value
    raise errors.bad_request(
        f'invalid fieldValidation: Unsupported value: "{value}": supported values: "Ignore", "Strict", "Warn"'
    )


def manager(value: str, user_agent: str) -> str:
    """`fieldManager`, or the first word of the User-Agent, as kube-apiserver does. Raises StatusError."""
    if len(value) > 128:
        raise errors.bad_request("invalid fieldManager: Too long: may not be more than 128 bytes")
    return value or user_agent.partition("/")[0][:128] or "unknown"


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number in the query, None when absent. Raises StatusError."""
    text = query.get(name, "")
    if text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax ({name})') from None


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean in the query. Raises StatusError."""
    text = query.get(name, "")
    if text.lower() not in ("", "true", "false", "1", "0"):
        raise errors.bad_request(f'strconv.ParseBool: parsing "{text}": invalid syntax ({name})')
    return text.lower() in ("true", "1")


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
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool) or grace < 0):
        raise errors.bad_request(f"invalid gracePeriodSeconds: {grace!r}: must be a number of at least 0")
    if not isinstance(preconditions, dict):
        raise errors.bad_request("invalid preconditions: must be an object")
    return DeleteOptions(
        grace_period_s=grace,
        propagation=_propagation(body, query),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        dry_run=_dry_run(body, query),
    )


def _dry_run(body: dict[str, Any], query: Mapping[str, str]) -> bool:
    stages = body.get("dryRun") or [query.get("dryRun", "")]
    return any(dry_run(str(stage)) for stage in stages) if isinstance(stages, list) else dry_run(str(stages))


def _propagation(body: dict[str, Any], query: Mapping[str, str]) -> Propagation:
    if body.get("orphanDependents") is not None:
        return "Orphan" if body["orphanDependents"] else "Background"
    match body.get("propagationPolicy") or query.get("propagationPolicy", ""):
        case ("" | "Background" | "Foreground" | "Orphan") as policy:
            return policy
        case other:
            raise errors.bad_request(
                f'invalid propagationPolicy: Unsupported value: "{other}": supported values: "Background", '
                '"Foreground", "Orphan"'
            )
