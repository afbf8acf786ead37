"""Filters of rules and backends as values, and what of them can not work."""

import re
from collections.abc import Iterable, Iterator

from semafor.base.problem import Problem
from semafor.ir import Cors, HeaderOps, Origin, StringMatch
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway_api import route
from semafor.planner.gateway_api.route import Filters, Mirroring, PathChange, Redirection
from semafor.resources.gateway_api import filters as api
from semafor.resources.gateway_api.grpc_route import GRPCRouteFilter
from semafor.resources.gateway_api.http_route import HTTPRouteFilter

Written = HTTPRouteFilter | GRPCRouteFilter

_STANDARD_PORTS = {"http": ":80", "https": ":443"}


# The filters that are implemented; the others are refused by name.
KNOWN = (
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "URLRewrite",
    "CORS",
)


def read(written: Iterable[Written], origin: Origin) -> Filters:
    """What the filters do together. `origin` is their list."""
    by_type: dict[str, Written] = {}
    mirrors: list[Mirroring] = []
    for index, each in enumerate(written):
        if each.type == "RequestMirror" and each.request_mirror:
            mirrors.append(_mirror(each.request_mirror, at(origin, f"[{index}].requestMirror.backendRef")))
        by_type.setdefault(each.type, each)
    http = {type_: each for type_, each in by_type.items() if isinstance(each, HTTPRouteFilter)}
    redirect, rewrite, cors = http.get("RequestRedirect"), http.get("URLRewrite"), http.get("CORS")
    url = rewrite.url_rewrite if rewrite else None
    return Filters(
        request=_headers(_field(by_type, "RequestHeaderModifier", "request_header_modifier")),
        response=_headers(_field(by_type, "ResponseHeaderModifier", "response_header_modifier")),
        redirect=_redirect(redirect.request_redirect) if redirect and redirect.request_redirect else None,
        host=(url.hostname or "") if url else "",
        path=_path(url.path if url else None),
        mirrors=tuple(mirrors),
        cors=_cors(cors.cors) if cors and cors.cors else None,
    )


def _field(by_type: dict[str, Written], type_: str, field: str) -> api.HTTPHeaderFilter | None:
    found = by_type.get(type_)
    return getattr(found, field) if found else None


def _headers(written: api.HTTPHeaderFilter | None) -> HeaderOps:
    """Of several changes of one header in a list, the first counts."""
    if written is None:
        return HeaderOps()
    return HeaderOps(remove=tuple(written.remove), set=_pairs(written.set), add=_pairs(written.add))


def _pairs(written: tuple[api.HTTPHeader, ...]) -> tuple[tuple[str, str], ...]:
    first: dict[str, tuple[str, str]] = {}
    for each in written:
        first.setdefault(each.name.lower(), (each.name, each.value))
    return tuple(first[name] for name in sorted(first))


def _mirror(written: api.HTTPRequestMirrorFilter, origin: Origin) -> Mirroring:
    percent = 100.0
    if written.percent is not None:
        percent = float(written.percent)
    elif written.fraction is not None:
        percent = 100.0 * written.fraction.numerator / written.fraction.denominator
    ref = route.target(written.backend_ref, origin.ref.namespace)
    return Mirroring(ref=ref, port=written.backend_ref.port or 0, percent=percent, origin=origin)


def _redirect(written: api.HTTPRequestRedirectFilter) -> Redirection:
    return Redirection(
        status=written.status_code,
        scheme=written.scheme or "",
        host=written.hostname or "",
        port=written.port or 0,
        path=_path(written.path),
    )


def _path(written: api.HTTPPathModifier | None) -> PathChange:
    if written is None:
        return PathChange()
    if written.type == "ReplaceFullPath":
        return PathChange(full=written.replace_full_path or "/")
    return PathChange(prefix=written.replace_prefix_match or "")


def _cors(written: api.HTTPCORSFilter) -> Cors:
    return Cors(
        origins=tuple(_origin(each) for each in written.allow_origins),
        methods=tuple(written.allow_methods),
        headers=tuple(written.allow_headers),
        expose=tuple(written.expose_headers),
        max_age_s=written.max_age,
        credentials=bool(written.allow_credentials),
        forward_unmatched=False,
    )


def _origin(written: str) -> StringMatch:
    """An origin; `*` in it takes any text. The port that the scheme means anyway may be there or not."""
    if written == "*":
        return StringMatch(kind="regex", value=".*")
    scheme, _, host = written.partition("://")
    host = host.removesuffix(_STANDARD_PORTS.get(scheme, "\0"))
    if "*" not in host:
        return StringMatch(kind="exact", value=f"{scheme}://{host}")
    pattern = ".*".join(re.escape(piece) for piece in host.split("*"))
    # A host that is nothing but a wildcard takes any port as well: the text after the scheme is free.
    return StringMatch(kind="regex", value=f"{scheme}://{pattern}")


def check(written: Iterable[Written], origin: Origin) -> Iterator[Problem]:
    """What of the filters is not implemented or can not work together."""
    types: set[str] = set()
    for index, each in enumerate(written):
        place = at(origin, f"[{index}]")
        types.add(each.type)
        if each.type not in KNOWN:
            yield problems.value_not_supported(at(place, "type"), f"the filter {each.type}", ", ".join(KNOWN))
    if {"RequestRedirect", "URLRewrite"} <= types:
        why = "RequestRedirect and URLRewrite cannot be used together"
        yield problems.invalid(origin, why, "keep one of the two")


def check_paths(filters: Filters, kinds: Iterable[str], origin: Origin) -> Iterator[Problem]:
    """A replaced prefix needs conditions that take a prefix. `kinds` are those of the rule's conditions on the path."""
    changes = (filters.path, filters.redirect.path if filters.redirect else PathChange())
    if any(change.prefix is not None for change in changes) and set(kinds) - {"PathPrefix"}:
        why = "ReplacePrefixMatch works with PathPrefix matches only"
        yield problems.invalid(origin, why, "use ReplaceFullPath, or match by PathPrefix")
