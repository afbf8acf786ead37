"""Why a request failed, from what a proxy has written of it: Envoy's flags and details in words, with a mend.

Source: Envoy's references of response flags (%RESPONSE_FLAGS%) and of response code details.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from semafor.explain.entry import Entry
from semafor.explain.story import Outcome

_RULE: Final = re.compile(r"rbac_access_denied_matched_policy\[(?P<rule>.*)\]")
_ERROR: Final = 400
_REFUSED_CONNECTION: Final = "111"


class Cause(NamedTuple):
    """In one sentence each."""

    why: str
    mend: str


# From the most to the least telling: of several flags the first one here is the cause, and the others what followed.
FLAGS: Final[Mapping[str, Cause]] = {
    "UAEX": Cause("an external authorizer refused it", "ask its log why; the policy that calls it is a CUSTOM one"),
    "FI": Cause("a fault that was put in on purpose answered it", "take the fault's abort out of the route"),
    "RL": Cause("a rate limit refused it", "send fewer requests, or raise the limit"),
    "RLSE": Cause("the service of rate limits failed", "look whether that service is up"),
    "NR": Cause("no route takes it", "give the host a route that does, or ask for a host and port that the mesh knows"),
    "NC": Cause("the route leads to a cluster that does not exist", "let the route lead to a service that exists"),
    "NFCF": Cause("no filter chain takes the connection", "look at the port's protocol, and at its mutual TLS mode"),
    "UO": Cause(
        "a limit of connections or requests was reached (circuit breaker)",
        "raise connectionPool of the DestinationRule, or send fewer at a time",
    ),
    "UH": Cause(
        "no healthy instance is behind the destination",
        "look whether its pods are ready, and whether outlierDetection has put them out",
    ),
    "DF": Cause("the host's name was not resolved", "look whether DNS knows the name"),
    "UF": Cause("no connection to the instance could be made", "look whether the app listens at that port"),
    "UT": Cause("the answer did not come within the time-out", "raise the route's timeout, or make the callee faster"),
    "SI": Cause("nothing was sent for longer than the idle time-out", "send something within that time"),
    "DT": Cause("it took longer than it may altogether", "raise the time-out, or make the callee faster"),
    "UMSDR": Cause("it took longer than a stream may last", "raise the time-out, or make the callee faster"),
    "UC": Cause(
        "the callee closed the connection before it answered",
        "look at the callee's log: it ended, or closes idle connections sooner than the proxy does",
    ),
    "UR": Cause("the callee reset the stream", "look at the callee's log"),
    "UPE": Cause("what the callee answered is no HTTP", "look at the port's protocol (its name or appProtocol)"),
    "URX": Cause("all retries failed as well", "look at the callee's log, or raise the retries' attempts"),
    "DC": Cause(
        "the caller went away before the answer came",
        "raise the caller's own time-out, or make the callee faster",
    ),
    "DR": Cause("the caller reset the stream", "raise the caller's own time-out, or make the callee faster"),
    "LR": Cause("the proxy reset the connection", "look at the proxy's log"),
    "LH": Cause("the instance failed the health check", "look whether it is ready"),
    "DPE": Cause("what the caller sent is no valid HTTP", "mend the request"),
    "IH": Cause("a header that Envoy understands has a wrong value", "leave the x-envoy headers out"),
    "OM": Cause("the proxy has too much to do", "give it more CPU and memory, or more pods"),
    "DO": Cause("a limit of connections of callers was reached", "send fewer at a time"),
    "RFCF": Cause("the response came from a cache filter", ""),
    "DI": Cause("a delay that was put in on purpose held it up", "take the fault's delay out of the route"),
}  # fmt: skip
_DETAILS: Final[tuple[tuple[str, Cause], ...]] = (
    ("jwt_authn_access_denied", Cause("the token is refused", "send a token that the RequestAuthentication takes")),
    ("ext_authz_denied", FLAGS["UAEX"]),
    ("ext_authz_error", Cause("the external authorizer could not be asked", "look whether it is up")),
    ("fault_filter_abort", FLAGS["FI"]),
    ("direct_response", Cause("the route itself answers so", "change the route's directResponse or redirect")),
    ("route_not_found", FLAGS["NR"]),
    ("cluster_not_found", FLAGS["NC"]),
    ("no_healthy_upstream", FLAGS["UH"]),
    ("request_overall_timeout", FLAGS["UT"]),
    ("upstream_response_timeout", FLAGS["UT"]),
    ("upstream_per_try_timeout", FLAGS["UT"]),
    ("response_timeout", FLAGS["UT"]),
    ("request_payload_too_large", Cause("the request's body is too large", "send less, or raise the limit")),
    ("internal_redirect", FLAGS["NR"]),
    ("low_version", Cause("HTTP/1.0 is not taken here", "speak HTTP/1.1")),
    ("missing_host_header", Cause("the request has no Host", "send one")),
    ("path_normalization_failed", Cause("the path is not one", "mend the path")),
)


def of(entry: Entry, outcome: Outcome | None, where: str) -> Cause | None:
    """Why it failed at the proxy `where`; None where that proxy did not say no itself, or it did not fail."""
    if rule := _RULE.search(entry.details):
        return _by_policy(rule["rule"], where)
    if entry.is_answered_upstream or (0 < entry.status < _ERROR):
        return None
    found = next((cause for start, cause in _DETAILS if entry.details.startswith(start)), None)
    flagged = [flag for flag in FLAGS if flag in entry.flags]
    if flagged and (found is None or entry.flags):
        found = FLAGS[flagged[0]]
    if found is None:
        return Cause(f"{where} answered {entry.status} itself: {entry.details or 'it does not say why'}", "")
    more = "; ".join(_particulars(entry, outcome, flagged))
    return Cause(f"{where}: {found.why}" + (f" ({more})" if more else ""), _mend(found, entry, outcome))


def of_app(entry: Entry, where: str) -> Cause | None:
    """That an app has answered with an error; None where it has not."""
    if not entry.is_answered_upstream or entry.status < _ERROR:
        return None
    return Cause(f"{where} itself answered {entry.status}: the mesh passed it on", f"look at the log of {where}")


def _by_policy(rule: str, where: str) -> Cause:
    if rule == "none":
        why = f"{where} refuses: no rule of its ALLOW policies takes it"
        return Cause(why, "let a rule of an ALLOW policy take it: semafor authz check tells each condition")
    return Cause(f"{where} refuses: the rule {rule} takes it, and it denies", "change the rule's conditions")


def _particulars(entry: Entry, outcome: Outcome | None, flagged: list[str]) -> Iterator[str]:
    yield from (f"{flag}: {FLAGS[flag].why}" for flag in flagged[1:])
    if entry.transport_failure:
        refused = entry.transport_failure.endswith(_REFUSED_CONNECTION)
        yield "the connection was refused: nothing listens there" if refused else entry.transport_failure
    if outcome and outcome.timeout_s and {"UT", "DT"} & set(flagged):
        yield f"{outcome.rule or 'the route'} allows {outcome.timeout_s:g} s"
    if outcome and outcome.retry and "URX" in flagged:
        yield f"{outcome.retry.attempts} retries are allowed"
    if entry.cluster and {"UH", "UO", "NC"} & set(flagged):
        limits = [each.limits for each in outcome.targets if each.cluster == entry.cluster] if outcome else []
        yield ", ".join([entry.cluster, *(each for each in limits if each)])


def _mend(found: Cause, entry: Entry, outcome: Outcome | None) -> str:
    rule = next(
        (each.cluster_rule for each in (outcome.targets if outcome else ()) if each.cluster == entry.cluster), None
    )
    if found is FLAGS["UO"] and rule:
        return f"raise trafficPolicy.connectionPool of {rule.ref}, or send fewer at a time"
    if outcome and outcome.rule and found in (FLAGS["UT"], FLAGS["FI"]):
        rule_ = f"{outcome.rule.ref} {outcome.rule.path.partition('.match')[0]}"
        return found.mend.replace("the route's timeout", f"the timeout of {rule_}").replace("the route", rule_)
    if "CERTIFICATE_VERIFY_FAILED" in entry.transport_failure:
        return "the certificate of the other side is not trusted: look at the DestinationRule's tls and at its host"
    return found.mend
