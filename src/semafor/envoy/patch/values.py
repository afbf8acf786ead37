"""The pieces of Envoy's configuration that patches carry, decoded into their types."""

import json
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.json_format import ParseError

from semafor import ir
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.envoy.check import Checker
from semafor.envoy.pool import Pool

_LISTENER: Final = "envoy.config.listener.v3."
_ROUTE: Final = "envoy.config.route.v3."
TYPES: Final[dict[ir.patch.ApplyTo, str]] = {
    "LISTENER": f"{_LISTENER}Listener",
    "LISTENER_FILTER": f"{_LISTENER}ListenerFilter",
    "FILTER_CHAIN": f"{_LISTENER}FilterChain",
    "NETWORK_FILTER": f"{_LISTENER}Filter",
    "HTTP_FILTER": "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    "ROUTE_CONFIGURATION": f"{_ROUTE}RouteConfiguration",
    "VIRTUAL_HOST": f"{_ROUTE}VirtualHost",
    "HTTP_ROUTE": f"{_ROUTE}Route",
    "CLUSTER": "envoy.config.cluster.v3.Cluster",
    "EXTENSION_CONFIG": "envoy.config.core.v3.TypedExtensionConfig",
    "BOOTSTRAP": "envoy.config.bootstrap.v3.Bootstrap",
}
_MERGES: Final = ("MERGE", "MERGE_AND_REPLACE_LIST")  # what they say is a part, which need not be right by itself


class Decoded(Value, eq=False):
    """What a patch carries, or None when it is no such thing, and what is wrong with it."""

    message: Any
    problems: tuple[Problem, ...] = ()


def decode(pool: Pool, checker: Checker, patch: ir.Patch) -> Decoded:
    """The value of a patch. A field that Envoy does not know is left out and told of, as Istio does."""
    if patch.operation == "REMOVE":
        return Decoded(None)
    document, type_ = json.loads(patch.value or "{}"), TYPES[patch.apply_to]
    try:
        message = pool.parse(type_, document, lenient=True)
    except (ParseError, ValueError, TypeError, AttributeError, KeyError) as error:
        return Decoded(
            None, (_problem(patch, "Invalid", f"it is left out, because it is no {type_}: {_words(error)}"),)
        )
    wrong = () if patch.operation in _MERGES else checker.violations(message)
    if wrong:
        return Decoded(None, tuple(_broken(patch, wrong)))
    try:
        pool.parse(type_, document)
    except (ParseError, ValueError, TypeError, AttributeError, KeyError) as error:
        return Decoded(message, (_problem(patch, "UnknownField", _words(error), severity="warning"),))
    return Decoded(message)


def refused(patch: ir.Patch, violations: tuple[str, ...]) -> Problem:
    """The patch is left out, because Envoy would refuse what it makes."""
    reason = "; ".join(violations)
    return _problem(patch, "LeftOut", f"it is left out, because Envoy takes no such configuration: {reason}")


def _broken(patch: ir.Patch, violations: tuple[str, ...]) -> Iterator[Problem]:
    for violation in violations:
        field, _, why = violation.partition(": ")
        yield _problem(patch, "LeftOut", f"it is left out, because Envoy takes no such value: {why}", field=field)


def _problem(patch: ir.Patch, reason: str, message: str, *, field: str = "", severity: Any = "error") -> Problem:
    path = f"{patch.origin.path}.patch.value" + (f".{field}" if field else "")
    return Problem(ref=patch.origin.ref, path=path, reason=reason, message=message, severity=severity)


def _words(error: Exception) -> str:
    """The first line of protobuf's complaint; the others list every field of the type."""
    return str(error).splitlines()[0].strip() if str(error) else type(error).__name__
