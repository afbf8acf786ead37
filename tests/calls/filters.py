"""What the HTTP filters that routes configure make of a call, by Envoy's own rules.

Source: Envoy's documentation of the CORS and the fault filter.
"""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.calls.script import Call

Json = dict[str, Any]
_ALLOW = "access-control-"


def preflight(route: Json, call: "Call") -> str:
    """What the CORS filter answers by itself; empty when it lets the request pass."""
    policy, headers = _config(route, "cors"), dict(call.headers)
    asked = call.method == "OPTIONS" and headers.get(f"{_ALLOW}request-method")
    if not policy or not asked or "origin" not in headers:
        return ""
    if not _allowed(policy, headers["origin"]):
        return "" if policy.get("forward_not_matching_preflights", True) else "200"
    told = _origin(policy, headers["origin"])
    for field in ("allow_methods", "allow_headers", "expose_headers", "max_age"):
        if policy.get(field):
            told[field.replace("_", "-")] = policy[field]
    return f"200 {words(told)}"


def changes(route: Json, call: "Call") -> dict[str, str]:
    """What the CORS filter adds to the answer of a request that passes, and how long the fault filter holds it up."""
    policy, headers = _config(route, "cors"), dict(call.headers)
    told: dict[str, str] = {}
    if policy and "origin" in headers and _allowed(policy, headers["origin"]):
        told = _origin(policy, headers["origin"])
        if policy.get("expose_headers"):
            told["expose-headers"] = policy["expose_headers"]
    delay = _config(route, "fault").get("delay")
    if delay:
        share = percent(delay["percentage"])
        told["delay"] = delay["fixed_delay"] + ("" if share == 100 else f" of {share:g} in 100")
    return told


def aborted(route: Json, call: "Call") -> tuple[str, float]:
    """The answer of the fault filter, and the share of the requests that get it."""
    abort = _config(route, "fault").get("abort")
    if not abort:
        return "", 0.0
    if "http_status" in abort:
        return str(abort["http_status"]), percent(abort["percentage"])
    status = abort.get("grpc_status", 0)
    if dict(call.headers).get("content-type", "").startswith("application/grpc"):
        return f"grpc-{status}", percent(abort["percentage"])
    return "200", percent(abort["percentage"])


def words(told: dict[str, str]) -> str:
    """The answer's headers, sorted."""
    return ", ".join(f"{name} {value}" for name, value in sorted(told.items()))


def of_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    """The same out of the headers of a real answer."""
    return {name.removeprefix(_ALLOW): value for name, value in headers if name.startswith(_ALLOW)}


def _config(route: Json, name: str) -> Json:
    found: Json = route.get("typed_per_filter_config", {}).get(f"envoy.filters.http.{name}", {})
    return found


def _origin(policy: Json, origin: str) -> dict[str, str]:
    return {"allow-origin": origin} | ({"allow-credentials": "true"} if policy.get("allow_credentials") else {})


def _allowed(policy: Json, origin: str) -> bool:
    """Envoy also asks whether the test takes an asterisk."""
    return any(_takes(test, origin) or _takes(test, "*") for test in policy.get("allow_origin_string_match", ()))


def _takes(test: Json, value: str) -> bool:
    if "safe_regex" in test:
        return bool(re.fullmatch(test["safe_regex"]["regex"], value))
    return value == test["exact"] if "exact" in test else value.startswith(test["prefix"])


def percent(share: Json) -> float:
    """A share as a number."""
    return float(share.get("numerator", 0)) / {"MILLION": 10_000, "TEN_THOUSAND": 100}.get(share.get("denominator"), 1)
