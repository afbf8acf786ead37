"""Whether a guard lets a request or a connection pass, rule by rule.

Source: Envoy's reference of the RBAC filters.
"""

from ipaddress import ip_address, ip_network

from semafor.base.struct import Value
from semafor.explain import conditions, texts
from semafor.explain.request import Request
from semafor.explain.story import Judged, RuleTried
from semafor.ir import Condition, Conditions, Guard, Rule, StringMatch

_PRESENT = StringMatch(kind="regex", value=".+")


class Visit(Value):
    """The request as it comes in: who proves to be whom, and which port and address of the workload is meant."""

    request: Request
    identity: str = ""
    address: str = ""
    remote_address: str = ""
    port: int = 0
    destination: str = ""
    server_name: str = ""


def through(guards: tuple[Guard, ...], visit: Visit) -> tuple[Judged, ...]:
    """What the guards say, one after the other, up to the first that refuses."""
    found: list[Judged] = []
    for guard in guards:
        found.append(judge(guard, visit))
        if not found[-1].passes:
            break
    return tuple(found)


def judge(guard: Guard, visit: Visit) -> Judged:
    """What the guard says. One in dry run says what it would do, and lets everything pass."""
    rules = tuple(_tried(rule, visit) for rule in guard.rules)
    takes = any(each.takes for each in rules)
    refuses = takes if guard.action == "deny" else not takes if guard.action == "allow" else False
    return Judged(
        action=guard.action,
        passes=guard.dry_run or not refuses,
        dry_run=guard.dry_run,
        rules=rules,
        policies=guard.policies,
        asks=guard.authorizer.name if guard.authorizer and takes else "",
    )


def _tried(rule: Rule, visit: Visit) -> RuleTried:
    reasons = [_against_all(side, visit) for side in (rule.who, rule.what)]
    reason = next((each for each in reasons if each), "")
    return RuleTried(rule=rule.origin, name=rule.name, takes=not reason, reason=reason)


def _against_all(alternatives: tuple[Conditions, ...], visit: Visit) -> str:
    """Why none of the alternatives holds; empty when one does, or when there are none."""
    reasons = [_against(each, visit) for each in alternatives]
    if not reasons or not all(reasons):
        return ""
    return "; ".join(dict.fromkeys(reasons))


def _against(asked: Conditions, visit: Visit) -> str:
    return next((_refusal(each, visit) for each in asked if not _holds(each, visit)), "")


def _holds(condition: Condition, visit: Visit) -> bool:
    return any(_one_holds(condition, test, visit) for test in condition.values) != condition.negated


def _one_holds(condition: Condition, test: StringMatch, visit: Visit) -> bool:
    if condition.needs_request and not visit.request.carries_request:
        return False
    match condition.on:
        case "address" | "remote_address" | "destination_address":
            return any(_within(each, test.value) for each in _found(condition, visit))
        case "port":
            return int(test.value) == visit.port
        case "token_subject":
            return _subject_holds(test, visit.request)
        case _:
            return any(texts.holds(test, each) for each in _found(condition, visit))


def _found(condition: Condition, visit: Visit) -> tuple[str, ...]:
    """The texts that the condition is about; none where there are none."""
    request = visit.request
    match condition.on:
        case "header":
            value = request.header(condition.name)
            return () if value is None else (value,)
        case "claim":
            return request.claim(condition.name)
        case "token_subject":
            subject = "/".join((*request.claim("iss"), *request.claim("sub")))
            return (subject,) if subject else ()
        case _:
            single = {
                "identity": visit.identity,
                "address": visit.address,
                "remote_address": visit.remote_address,
                "destination_address": visit.destination,
                "port": str(visit.port),
                "server_name": visit.server_name,
                "path": request.plain_path,
                "method": request.method,
                "host": request.authority,
            }[condition.on]
            return (single,) if single else ()


def _within(address: str, network: str) -> bool:
    return ip_address(address) in ip_network(network, strict=False)


def _subject_holds(test: StringMatch, request: Request) -> bool:
    """Issuer and subject are two claims; the subject is what follows the last slash of the test."""
    issuer, _, subject = test.value.rpartition("/")
    pair = {
        "exact": (StringMatch("exact", issuer), StringMatch("exact", subject)),
        "prefix": (StringMatch("exact", issuer), StringMatch("prefix", subject)) if issuer else (test, _PRESENT),
        "suffix": (StringMatch("suffix", issuer), StringMatch("exact", subject)) if issuer else (_PRESENT, test),
    }.get(test.kind, (_PRESENT, _PRESENT))
    return all(
        any(texts.holds(each, value) for value in request.claim(name))
        for name, each in zip(("iss", "sub"), pair, strict=True)
    )


def _refusal(condition: Condition, visit: Visit) -> str:
    """`the method is GET, and the rule wants one that is "POST"`."""
    name = conditions.name(condition)
    if condition.needs_request and not visit.request.carries_request:
        return f"it asks for {name}, which bytes do not have"
    found = ", ".join(_found(condition, visit)) or "absent"
    which = "none that" if condition.negated else "one that"
    return f"{name} is {found}, and the rule wants {which} {conditions.wanted(condition)}"
