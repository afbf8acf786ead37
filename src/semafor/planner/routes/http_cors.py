"""A VirtualService's `corsPolicy` as the plan's. Source: Istio's reference, CorsPolicy, and its TranslateCORSPolicy."""

from collections.abc import Iterator

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.ir import Cors, Origin, StringMatch
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.routes import http_match
from semafor.resources.istio import virtual_service as istio

_IMPLEMENTED = (
    "allow_origin",
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "max_age",
    "allow_credentials",
    "unmatched_preflights",
)


def read(spec: istio.CorsPolicy | None) -> Cors | None:
    """The policy. The obsolete `allowOrigin` counts only without `allowOrigins`."""
    if spec is None:
        return None
    tests = (
        http_match.value(origin) for origin in spec.allow_origins if not http_match.regex_error(origin.regex or "")
    )
    old = (StringMatch(kind="exact", value=origin) for origin in spec.allow_origin)
    return Cors(
        origins=tuple(test for test in tests if test) if spec.allow_origins else tuple(old),
        methods=spec.allow_methods,
        headers=spec.allow_headers,
        expose=spec.expose_headers,
        max_age_s=int(duration.parse(spec.max_age)) if spec.max_age else None,
        credentials=bool(spec.allow_credentials),
        forward_unmatched=spec.unmatched_preflights != "IGNORE",
    )


def check(spec: istio.CorsPolicy, origin: Origin) -> Iterator[Problem]:
    """What of the policy can not work."""
    yield from refused.fields(spec, origin, *_IMPLEMENTED)
    for index, test in enumerate(spec.allow_origins):
        yield from http_match.check_text(test, at(origin, f"allowOrigins[{index}]"))
    if not (spec.allow_origins or spec.allow_origin):
        yield problems.no_effect(origin, "no origin is allowed", "add allowOrigins")
