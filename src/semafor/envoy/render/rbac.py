"""ir.Authorization -> envoy.config.rbac.v3.RBAC, the same for requests and for bytes."""

from collections.abc import Iterable
from typing import Final

from semafor import ir
from semafor.envoy.render import matches
from semafor.envoy.render.shape import Fields

_ANY: Final[Fields] = {"any": True}


def allow(node: ir.Authorization) -> Fields:
    """What may pass; nothing at all without a rule."""
    return {"action": "ALLOW", "policies": {rule.name: _policy(rule) for rule in node.allow}}


def _policy(rule: ir.Rule) -> Fields:
    return {
        "principals": [_all("ids", each) for each in rule.who] or [_ANY],
        "permissions": [_all("rules", each) for each in rule.what] or [_ANY],
    }


def _all(kind: str, conditions: Iterable[ir.Condition]) -> Fields:
    """All of the conditions. `kind` is Envoy's word for a list of these."""
    return _joined("and", kind, [_either(kind, condition) for condition in conditions])


def _either(kind: str, condition: ir.Condition) -> Fields:
    return _joined("or", kind, [_one(condition, value) for value in condition.values])


def _joined(how: str, kind: str, found: list[Fields]) -> Fields:
    return found[0] if len(found) == 1 else {f"{how}_{kind}": {kind: found}}


def _one(condition: ir.Condition, value: ir.StringMatch) -> Fields:
    match condition.on:
        case "identity":
            return {"authenticated": {"principal_name": matches.string(value)}}
        case "port":
            return {"destination_port": int(value.value)}
        case "path":
            return {"url_path": {"path": matches.string(value)}}
        case "method":
            return {"header": {"name": ":method", "string_match": matches.string(value)}}
        case "header":
            return {"header": {"name": condition.name, "string_match": matches.string(value)}}
