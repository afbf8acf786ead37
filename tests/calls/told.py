"""What `explain` tells of a call, in the words of `script`."""

import itertools

from tests.calls import authorizers, filters, outcome
from tests.calls.inbound import APP, CALLER_ADDRESS, DENIED, HELLO, PEER_ADDRESS, authorized
from tests.calls.matcher import Matcher
from tests.calls.script import Call

from semafor.explain import Caller, Outcome, Request, Target, Way, inbound, outbound
from semafor.explain.inbound import Approach
from semafor.ir import HeaderOps, Plan

_USUAL_RETRIES = 2


def follow(match: Matcher, plan: Plan, call: Call, identity: str = "") -> str:
    """The result of the call."""
    if call.is_inbound:
        return _arrived(plan, call, identity)
    request = _request(match, call)
    if call.is_entering:
        return _way(match, outbound.entrance(plan, request, Caller(name="", identity=identity)), call)
    return _way(match, outbound.way(plan, request), call)


def _request(match: Matcher, call: Call) -> Request:
    return Request(
        host=call.host,
        port=call.port,
        method=call.method,
        path=call.path,
        headers=call.headers,
        scheme="https" if call.scheme in ("https", "tls") else "http",
        says=call.says if call.says in ("tls", "nothing", "http") else "bytes",
        server_name=call.host if call.is_entering else call.sni,
        protocols=call.alpn,
        address="" if call.is_entering else match.address(call.host),
    )


def _arrived(plan: Plan, call: Call, identity: str) -> str:
    caller = Approach(
        name="",
        identity=identity,
        address=PEER_ADDRESS,
        remote_address=CALLER_ADDRESS,
        mutual_tls=bool(identity),
        protocols=HELLO[call.verb],
    )
    request = Request(
        host=call.host,
        port=80,
        method=call.method,
        path=call.path,
        headers=call.headers,
        says="bytes",
        address="10.244.0.251",
    )
    arrival = inbound.arrival(plan, call.host, request, caller, call.port)
    if any(each.asks for each in arrival.judged) and not authorized(call, identity):
        return f"403 {authorizers.REFUSAL}" if call.verb == "receive" else "closed"
    if not arrival.refusal:
        return APP
    if arrival.refusal.startswith("the connection is closed"):
        return "closed"
    return DENIED[call.verb] if arrival.status in (0, 403) else str(arrival.status)


def _way(match: Matcher, way: Way, call: Call) -> str:
    if way.closed:
        return "closed" if call.is_entering else "nowhere"
    found = [(_route(match, group), sum(each.share for each in group)) for group in _by_route(way.outcomes)]
    if len(found) == 1:
        return found[0][0]
    parts = [(*text.partition(" "), share) for text, share in found]
    return ", ".join(f"{head} {round(share, 2):g}% {rest}".strip() for head, _, rest, share in parts)


def _by_route(outcomes: tuple[Outcome, ...]) -> list[list[Outcome]]:
    groups = itertools.groupby(outcomes, lambda each: (each.rule, each.route, each.match))
    return [list(group) for _, group in groups]


def _route(match: Matcher, group: list[Outcome]) -> str:
    """What one route does: of the requests that it takes, some may be aborted."""
    if len(group) == 1:
        return _outcome(match, group[0])
    aborted, passed = group
    share = 100 * aborted.share / (aborted.share + passed.share)
    head, _, rest = _outcome(match, aborted).partition(" ")
    return f"{head} {share:g}% {rest}, {_outcome(match, passed)} {100 - share:g}%"


def _outcome(match: Matcher, each: Outcome) -> str:
    if each.location:
        return f"{each.status} {each.location}"
    if each.status:
        if each.reason.startswith("a browser"):
            return f"200 {filters.words(dict(each.headers))}".strip()
        if each.grpc_status is not None:
            return f"grpc-{each.grpc_status} {each.reason}"
        return "404" if each.rule is None and each.status == 404 else f"{each.status} {each.reason}".strip()
    changes = _changes(match, each)
    shares = len(each.targets) > 1
    return ", ".join(_target(match, target, changes, shares=shares) for target in each.targets)


def _target(match: Matcher, target: Target, changes: dict, *, shares: bool) -> str:
    told = {**changes, **_ops(target.request, target.response)}
    if target.host and "host" not in changes:
        told["host"] = target.host
    notes = f" ({', '.join(f'{key} {value}' for key, value in told.items())})" if told else ""
    share = f" {target.share:g}%" if shares else ""
    return outcome.destination(match, target.cluster) + share + notes


def _changes(match: Matcher, each: Outcome) -> dict:
    told: dict = {}
    if each.path:
        told["path"] = each.path
    if each.host:
        told["host"] = each.host
    if each.timeout_s:
        told["timeout"] = _seconds(each.timeout_s)
    direct = all(target.cluster in outcome._NAMES for target in each.targets)
    attempts = each.retry.attempts if each.retry else 0
    if each.match and attempts != _USUAL_RETRIES and not direct:
        told["retries"] = attempts
    for mirror in each.mirrors:
        copy = outcome.destination(match, mirror.cluster)
        copy += "" if mirror.percent == 100 else f" of {mirror.percent:g} in 100"
        told["mirror"] = f"{told['mirror']} and {copy}" if "mirror" in told else copy
    if each.hash_key:
        told["hash"] = each.hash_key
    if each.tunnel:
        told["tunnel"] = each.tunnel
    told |= _ops(each.request, each.response) | dict(each.headers)
    if each.delay_share:
        told["delay"] = _seconds(each.delay_s) + ("" if each.delay_share == 100 else f" of {each.delay_share:g} in 100")
    return told


def _ops(request: HeaderOps, response: HeaderOps) -> dict:
    told = {}
    for side, ops in (("request", request), ("response", response)):
        for how, pairs in (("set", ops.set), ("add", ops.add)):
            told |= {f"{side} {how} {name}": value for name, value in pairs}
        if ops.remove:
            told[f"{side} remove"] = " ".join(ops.remove)
    return told


def _seconds(value: float) -> str:
    """As protobuf writes a duration in JSON."""
    text = f"{value:.9f}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"{whole}s" if not part else f"{whole}.{part.ljust(-(-len(part) // 3) * 3, '0')}s"
