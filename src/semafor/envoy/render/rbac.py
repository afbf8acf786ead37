"""ir.Guard -> envoy.config.rbac.v3.RBAC, the same for requests and for bytes."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from semafor import ir
from semafor.envoy.render import claims, matches
from semafor.envoy.render.shape import Fields, cidr

_ANY: Final[Fields] = {"any": True}
_ANYONE: Final = ir.StringMatch(kind="regex", value=".+")
_ACTIONS: Final = {"allow": "ALLOW", "deny": "DENY", "log": "LOG"}
ASKED: Final = "istio-ext-authz-"  # what the names of rules begin with on which somebody else decides


def rules(node: ir.Guard) -> Fields:
    """The field of the filter's configuration: rules that are kept, or rules that are only tried."""
    said = _said(_ACTIONS[node.action], node)
    if node.dry_run:
        return {"shadow_rules": said, "shadow_rules_stat_prefix": f"istio_dry_run_{node.action}_"}
    if node.action == "log":  # the same once more, only tried, because that leaves the name of the rule behind
        return {"rules": said, "shadow_rules": said, "shadow_rules_stat_prefix": "istio_audit_"}
    return {"rules": said}


def asking(node: ir.Guard, number: int) -> Fields:
    """The same of rules on which somebody else decides, the `number`th of a chain: they leave their names behind."""
    return {"shadow_rules": _said("DENY", node), "shadow_rules_stat_prefix": _asked_prefix(number)}


def asked_key(number: int) -> str:
    """Where the name of the rule is left that takes a request."""
    return f"{_asked_prefix(number)}shadow_effective_policy_id"


def _asked_prefix(number: int) -> str:
    return "istio_ext_authz_" + (f"{number}_" if number else "")


def _said(action: str, node: ir.Guard) -> Fields:
    return {"action": action, "policies": {rule.name: _policy(rule) for rule in node.rules}}


def _policy(rule: ir.Rule) -> Fields:
    return {
        "principals": [_all("id", each) for each in rule.who] or [_ANY],
        "permissions": [_all("rule", each) for each in rule.what] or [_ANY],
    }


def _all(kind: str, conditions: Iterable[ir.Condition]) -> Fields:
    """All of the conditions. `kind` is Envoy's word for one of these."""
    return _joined("and", kind, [_condition(kind, condition) for condition in conditions])


def _condition(kind: str, condition: ir.Condition) -> Fields:
    one_of = _joined("or", kind, [_one(kind, condition, value) for value in condition.values])
    return {f"not_{kind}": one_of} if condition.negated else one_of


def _joined(how: str, kind: str, found: list[Fields]) -> Fields:
    return found[0] if len(found) == 1 else {f"{how}_{kind}s": {f"{kind}s": found}}


def _one(kind: str, condition: ir.Condition, value: ir.StringMatch) -> Fields:
    match condition.on:
        case "identity":
            return {"authenticated": {"principal_name": matches.string(value)}}
        case "address":
            return {"direct_remote_ip": cidr(value.value)}
        case "remote_address":
            return {"remote_ip": cidr(value.value)}
        case "destination_address":
            return {"destination_ip": cidr(value.value)}
        case "port":
            return {"destination_port": int(value.value)}
        case "server_name":
            return {"requested_server_name": matches.string(value)}
        case "token_subject":
            return _token_subject(kind, value)
        case "claim":
            return _claim(kind, condition.name, value)
        case _:
            return _of_request(condition, value)


def _of_request(condition: ir.Condition, value: ir.StringMatch) -> Fields:
    match condition.on:
        case "path":
            return {"url_path": {"path": matches.string(value)}}
        case "method":
            return _header(":method", value)
        case "host":
            return _header(":authority", value)
        case _:
            return _header(condition.name, value)


def _header(name: str, value: ir.StringMatch) -> Fields:
    return {"header": {"name": name, "string_match": matches.string(value)}}


def _token_subject(kind: str, value: ir.StringMatch) -> Fields:
    """A test of the text `issuer/subject`, put together from tests of its parts.

    Both may have slashes, so that each slash of the text that is looked for may be the one between them.
    """
    pairs = [(_ANYONE, _ANYONE)] if value.kind == "regex" else list(_parted(value))
    tested = [_joined("and", kind, [_claim(kind, "iss", iss), _claim(kind, "sub", sub)]) for iss, sub in pairs]
    return _joined("or", kind, tested) if tested else {f"not_{kind}": _ANY}


def _parted(value: ir.StringMatch) -> Iterator[tuple[ir.StringMatch, ir.StringMatch]]:
    """The pairs of tests, of the issuer and of the subject, one of which has to hold."""
    text, begins, ends = value.value, value.kind == "prefix", value.kind == "suffix"
    if begins:
        yield value, _ANYONE
    if ends:
        yield _ANYONE, value
    for place in (place for place, letter in enumerate(text) if letter == "/"):
        issuer, subject = text[:place], text[place + 1 :]
        if (issuer or ends) and (subject or begins):
            yield _part("suffix" if ends else "exact", issuer), _part("prefix" if begins else "exact", subject)


def _part(kind: Literal["exact", "prefix", "suffix"], text: str) -> ir.StringMatch:
    return ir.StringMatch(kind=kind, value=text) if text else _ANYONE


def _claim(kind: str, name: str, value: ir.StringMatch) -> Fields:
    """A claim that is the text, or a list with it."""
    text = {"string_match": matches.string(value)}
    path = [{"key": part} for part in (claims.KEY, *name.split("."))]
    found = [
        {"metadata": {"filter": claims.FILTER, "path": path, "value": test}}
        for test in (text, {"list_match": {"one_of": text}})
    ]
    return _joined("or", kind, found)
