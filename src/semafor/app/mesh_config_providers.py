"""Whom the mesh asks and tells: `extensionProviders` and `defaultProviders` of the mesh configuration. Pure."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from semafor.base.struct import Value
from semafor.planner.telemetry import logs, tracing
from semafor.resources import check
from semafor.resources.istio.extension_provider import DefaultProviders, ExtensionProvider

# Kinds that something acts on. The others are read, so that policies can name them, and told as unsupported.
ACTED_ON: frozenset[str] = (
    frozenset({"envoyExtAuthzHttp", "envoyExtAuthzGrpc", "prometheus"}) | logs.KINDS | tracing.KINDS
)
_DEFAULTS_ACTED_ON: frozenset[str] = frozenset({"tracing", "metrics", "accessLogging"})
# Fields of these that Envoy's own exporters have no counterpart for, or that nothing acts on.
_IDLE: tuple[tuple[str, ...], ...] = (
    ("zipkin", "maxTagLength"),
    ("zipkin", "timeout"),
    ("zipkin", "headers"),
    ("opentelemetry", "maxTagLength"),
    ("opentelemetry", "resourceDetectors"),
    ("opentelemetry", "dynatraceSampler"),
    ("opentelemetry", "serviceAttributeEnrichment"),
)
# Lists of headers, each of which may name a variable of the proxy's environment.
_HEADERS: tuple[tuple[str, ...], ...] = (
    ("opentelemetry", "http", "headers"),
    ("opentelemetry", "grpc", "initialMetadata"),
)
_T = TypeVar("_T", bound=msgspec.Struct)


class Flaw(Value):
    """What is wrong; `path` begins where the part does, `[0].zipkin.port`."""

    path: str
    reason: str
    message: str
    fix: str


Read = tuple[dict[str, Any], list[Flaw]]


def providers(written: Any) -> Read:
    """The providers that can be used. One that is wrong is left out, so that what names it finds nobody."""
    if not isinstance(written, list):
        return {}, [_invalid("", "a list is expected")]
    found: dict[str, ExtensionProvider] = {}
    flaws: list[Flaw] = []
    for index, one in enumerate(written):
        provider, wrong = _typed(ExtensionProvider, one, f"[{index}]")
        flaws += wrong
        if provider is None:
            continue
        flaws += _remarks(provider, f"[{index}]", found)
        flaws += _idle(one, f"[{index}]")
        found.setdefault(provider.name, provider)
    return {"providers": tuple(found.values())}, flaws


def defaults(written: Any) -> Read:
    """Which of them are used where nobody is named."""
    found, flaws = _typed(DefaultProviders, written, "")
    if found is None:
        return {}, flaws
    idle = [name for name in ("tracing", "metrics", "accessLogging") if written.get(name)]
    flaws += [_unsupported(f".{name}") for name in idle if name not in _DEFAULTS_ACTED_ON]
    return {"default_providers": found}, flaws


def _remarks(provider: ExtensionProvider, path: str, known: dict[str, ExtensionProvider]) -> Iterator[Flaw]:
    if provider.name in known:
        message = f"has no effect: {provider.name} is the name of another provider too, which comes first"
        yield Flaw(f"{path}.name", "Conflict", message, "give each provider a name of its own")
    if provider.of_kind not in ACTED_ON:
        yield _unsupported(f"{path}.{provider.of_kind}")


def _idle(written: dict[str, Any], path: str) -> Iterator[Flaw]:
    """What is said of the provider and has no effect."""
    for field in _IDLE:
        if _at(written, field) is not None:
            yield _unsupported(f"{path}.{'.'.join(field)}")
    for field in _HEADERS:
        for index, header in enumerate(_at(written, field) or ()):
            if header.get("envName"):
                yield _unsupported(f"{path}.{'.'.join(field)}[{index}].envName")


def _at(written: Any, field: tuple[str, ...]) -> Any:
    for name in field:
        written = (written or {}).get(name)
    return written


def _typed(type_: type[_T], written: Any, path: str) -> tuple[_T | None, list[Flaw]]:
    """The value, or None when it is wrong, and what is wrong with it; unknown fields alone leave it usable."""
    report = check.check_part(type_, written)
    flaws = [_invalid(_inside(path, error.path), error.message) for error in report.errors]
    flaws += [_unsupported(f"{path}.{field}") for field in report.unknown]
    return (None if report.errors else msgspec.convert(written, type_)), flaws


def _inside(path: str, field: str) -> str:
    return path if field in {"", "<root>"} else f"{path}.{field}"


def _invalid(path: str, why: str) -> Flaw:
    return Flaw(path, "InvalidValue", f"is not understood: {why}", "mend it; until then it has no effect")


def _unsupported(path: str) -> Flaw:
    return Flaw(path, "UnsupportedKey", "is not supported and has no effect", "remove it")
