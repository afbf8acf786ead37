"""Conditions and rules of policies in words."""

from collections.abc import Iterator

from semafor.explain import texts
from semafor.ir import Condition, Conditions, Rule

_ADDRESSES = ("address", "remote_address", "destination_address")
_NAMES = {
    "identity": "the caller's identity",
    "address": "the caller's address",
    "remote_address": "the first client's address",
    "token_subject": "the token's issuer and subject",
    "destination_address": "the address that is called",
    "port": "the port",
    "server_name": "the server name of TLS",
    "path": "the path",
    "method": "the method",
    "host": "the host",
}


def name(condition: Condition) -> str:
    """What the condition is about: `the header x-user`."""
    if condition.on in ("header", "claim"):
        return f"the {condition.on} {condition.name}"
    return _NAMES[condition.on]


def wanted(condition: Condition) -> str:
    """What it wants of that: `is "GET" or is "HEAD"`."""
    return " or ".join(_wanted(condition))


def _wanted(condition: Condition) -> Iterator[str]:
    for test in condition.values:
        yield f"is in {test.value}" if condition.on in _ADDRESSES else texts.words(test)


def who(rule: Rule) -> str:
    """Whom the rule takes."""
    return _alternatives(rule.who) or "everybody"


def what(rule: Rule) -> str:
    """What the rule takes of them."""
    return _alternatives(rule.what) or "everything"


def _alternatives(found: tuple[Conditions, ...]) -> str:
    return "; or ".join(" and ".join(map(_words, each)) for each in found)


def _words(condition: Condition) -> str:
    negation = "not: " if condition.negated else ""
    return f"{name(condition)} {negation}{wanted(condition)}"
