"""What a VirtualService's http route does, as the plan's values. Source: Istio's reference, HTTPRoute."""

import base64
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Literal

from msgspec.structs import replace

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.ir import (
    DirectResponse,
    HeaderOps,
    Origin,
    Redirect,
    RegexRewrite,
    Retry,
    Rewrite,
)
from semafor.planner.checks import problems, refused, route_problems
from semafor.planner.checks.problems import at
from semafor.planner.routes import http_match
from semafor.resources.istio import virtual_service as istio

# Istio's policy where a route says nothing. Source: pilot/pkg/networking/core/route/retry.
DEFAULT_RETRY = Retry(
    attempts=2,
    retry_on=("connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"),
    status_codes=(503,),
)
_Status = Literal[301, 302, 303, 307, 308]
_REDIRECTS: dict[int, _Status] = {0: 301, 301: 301, 302: 302, 303: 303, 307: 307, 308: 308}
_REDIRECT_WORDS = "301, 302, 303, 307 and 308"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def redirect(spec: istio.HTTPRedirect) -> Redirect:
    """The redirection as written; its code was checked."""
    return Redirect(
        status=_REDIRECTS.get(spec.redirect_code, 301),
        scheme=spec.scheme,
        host=spec.authority,
        port=spec.port or 0,
        path=spec.uri,
        prefix=spec.prefix_rewrite,
    )


def redirect_at(said: Redirect, port: int, scheme: str, *, to_request_port: bool) -> Redirect:
    """The redirection of requests of this scheme that came in at `port`.

    As Istio: the port that the scheme means anyway is not written.
    """
    target = port if to_request_port else said.port
    if target == _DEFAULT_PORTS.get(said.scheme or scheme):
        target = 0
    return replace(said, port=target)


def direct_response(spec: istio.HTTPDirectResponse) -> DirectResponse:
    """The answer that the route gives by itself."""
    body: str | bytes = ""
    if spec.body and spec.body.bytes is not None:
        body = _text(base64.b64decode(spec.body.bytes))
    elif spec.body:
        body = spec.body.string or ""
    return DirectResponse(status=spec.status, body=body)


def _text(body: bytes) -> str | bytes:
    """Bytes that are text as such, so that plans can be read."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def rewrite(spec: istio.HTTPRewrite | None, host: str) -> Rewrite:
    """`uri` replaces what the path match took. `host` is what the route's headers set; the rewrite's authority wins."""
    if spec is None:
        return Rewrite(host=host)
    host = spec.authority or host
    if spec.uri_regex_rewrite:
        pattern, substitution = spec.uri_regex_rewrite.match, spec.uri_regex_rewrite.rewrite
        return Rewrite(host=host, regex=RegexRewrite(pattern=pattern, substitution=substitution))
    return Rewrite(host=host, prefix=spec.uri or None)


def retry(spec: istio.HTTPRetry | None) -> Retry | None:
    """The route's retries; None when it switches them off."""
    if spec is None:
        return DEFAULT_RETRY
    if spec.attempts <= 0:
        return None
    words, codes = DEFAULT_RETRY.retry_on, DEFAULT_RETRY.status_codes
    if spec.retry_on:
        words, codes = _retry_on(spec.retry_on)
    return Retry(
        attempts=spec.attempts,
        retry_on=words,
        status_codes=codes,
        per_try_timeout_s=seconds(spec.per_try_timeout),
        backoff_s=seconds(spec.backoff),
        remote_localities=bool(spec.retry_remote_localities),
    )


def mirror_share(route: istio.HTTPRoute) -> float:
    """The share of the requests that `mirror` gets, in per cent; of the three fields for it the newest counts."""
    if route.mirror_percentage:
        return route.mirror_percentage.value
    old = route.mirror_percent if route.mirror_percent is not None else route.mirror_percent_old
    return 100.0 if old is None else float(old)


def _retry_on(text: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Words and status codes of `5xx,gateway-error,429`; codes imply the word that makes Envoy look at them."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    codes = tuple(int(part) for part in parts if part.isdigit() and _is_status(int(part)))
    words = [part for part in parts if not (part.isdigit() and int(part) in codes)]
    if codes and "retriable-status-codes" not in words:
        words.append("retriable-status-codes")
    return tuple(words), codes


def _is_status(code: int) -> bool:
    return code in HTTPStatus.__members__.values()


def operations(spec: istio.HeaderOperations | None) -> HeaderOps:
    """Changes of headers. The authority is none of them: `authority` takes it out."""
    if spec is None:
        return HeaderOps()
    return HeaderOps(
        remove=tuple(name for name in spec.remove if not _internal(name)),
        set=_pairs(spec.set),
        add=_pairs(spec.add),
    )


def authority(headers: istio.Headers | None) -> str:
    """The authority that request headers set; `set` wins over `add`. Empty: unchanged."""
    if headers is None or headers.request is None:
        return ""
    added, put = headers.request.add, headers.request.set
    names = {name.lower(): value for source in (added, put) for name, value in source.items()}
    return names.get(":authority", names.get("host", ""))


def _pairs(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in headers.items() if not _internal(name)))


def _internal(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"


def seconds(text: str | None) -> float | None:
    """A duration of the API; None when it is absent."""
    return None if text is None else duration.parse(text)


def check(route: istio.HTTPRoute, origin: Origin) -> Iterator[Problem]:
    """What of the actions is not implemented or can not work."""
    if route.redirect:
        place = at(origin, "redirect")
        yield from refused.fields(
            route.redirect,
            place,
            "uri",
            "authority",
            "scheme",
            "port",
            "derive_port",
            "redirect_code",
            "prefix_rewrite",
        )
        if route.redirect.redirect_code not in _REDIRECTS:
            fix = f"use one of {_REDIRECT_WORDS}"
            yield problems.invalid(
                at(place, "redirectCode"), f"{route.redirect.redirect_code} is not a redirection", fix
            )
    if route.rewrite and route.rewrite.uri_regex_rewrite:
        regex = route.rewrite.uri_regex_rewrite.match
        if why := http_match.regex_error(regex):
            place = at(origin, "rewrite.uriRegexRewrite.match")
            yield problems.invalid(place, f"{regex!r} is not a regular expression: {why}")
    limit, each = seconds(route.timeout), seconds(route.retries.per_try_timeout) if route.retries else None
    if route.timeout and route.retries and limit and each and each >= limit:
        place, said = at(origin, "retries.perTryTimeout"), route.retries.per_try_timeout
        yield route_problems.no_time_to_repeat(place, said or "", route.timeout)
    if len(route.route) > 1 and not any(item.weight for item in route.route):
        yield problems.no_weight(at(origin, "route"))
    if not (route.redirect or route.direct_response or route.route or route.delegate):
        yield problems.invalid(origin, "the route says nothing of where to go", "add route, redirect or directResponse")
