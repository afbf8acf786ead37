"""The words of an AuthorizationPolicy as conditions: of the caller (`from`), of what is called (`to`), and `when`.

Source: Istio's references of AuthorizationPolicy and of "Authorization Policy Conditions".
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from semafor.ir import Condition, StringMatch
from semafor.ir.authorization import On
from semafor.planner.security import trust_domains
from semafor.resources.istio import authorization_policy as istio

_SPIFFE = "spiffe://"
_PORT = r"\.?(:[0-9]*)?"
_REST = r"\.?([:,].*)?"


class Word(NamedTuple):
    """What a word of the API is about, and what its values mean, in a policy of a namespace.

    `broad`: what they mean where to take more means to refuse more, if that makes a difference.
    """

    on: On
    value: Callable[[str, str], StringMatch]
    broad: Callable[[str, str], StringMatch] | None = None


def _text(value: str, _: str = "") -> StringMatch:
    """`*` at one end stands for anything, alone for anything at all but nothing."""
    if value == "*":
        return StringMatch(kind="regex", value=".+")
    if value.startswith("*"):
        return StringMatch(kind="suffix", value=value[1:])
    if value.endswith("*"):
        return StringMatch(kind="prefix", value=value[:-1])
    return StringMatch(kind="exact", value=value)


def _exact(value: str, _: str) -> StringMatch:
    return StringMatch(kind="exact", value=value)


def _host(value: str, _: str) -> StringMatch:
    """Hosts have no case. Source: Istio's page "Authorization Policy Normalization".

    Differs from Istio: a port behind the host does not count, nor a dot at its end. They change nothing of where a
    request goes, and must not change what it may.
    """
    found = _text(value)
    if value == "*" or found.kind == "prefix" or ":" in value:
        return StringMatch(kind=found.kind, value=found.value, ignore_case=True)
    before = ".*" if found.kind == "suffix" else ""
    return StringMatch(kind="regex", value=before + re.escape(found.value) + _PORT, ignore_case=True)


def _any_host(value: str, _: str) -> StringMatch:
    """The same for hosts that are refused: also where one stands among several, or behind a user's name.

    Several Host headers come as one text with commas, which Envoy passes on, and of which apps see what they will.
    """
    if value == "*":
        return _text(value)
    before = ".*" if value.startswith("*") else "(.*[,@])?"
    after = ".*" if value.endswith("*") else _REST
    return StringMatch(kind="regex", value=before + re.escape(value.strip("*")) + after, ignore_case=True)


def _path(value: str, _: str) -> StringMatch:
    """A path may have `{*}` for one segment and `{**}` for any number of them."""
    if "{" not in value:
        return _text(value)
    parts = re.split(r"(\{\*{1,2}\})", value)
    pattern = "".join({"{*}": "[^/]+", "{**}": ".*"}.get(part, re.escape(part)) for part in parts)
    return StringMatch(kind="regex", value=pattern)


def _principal(value: str, _: str) -> StringMatch:
    """Identities are written without `spiffe://`."""
    found = _text(value)
    if found.kind in ("exact", "prefix"):
        return StringMatch(kind=found.kind, value=_SPIFFE + found.value)
    return found


def _part(value: str) -> str:
    """A regular expression for one part of an identity, with `*` at one end."""
    return "[^/]*".join(re.escape(part) for part in value.split("*"))


def _namespace(value: str, _: str) -> StringMatch:
    return StringMatch(kind="regex", value=f".*/ns/{_part(value)}/.*")


def _service_account(value: str, namespace: str) -> StringMatch:
    """`namespace/name`, or the name of one of the policy's own namespace."""
    owner, _, name = value.rpartition("/")
    return StringMatch(kind="regex", value=f"{_SPIFFE}.+/ns/{_part(owner or namespace)}/sa/{_part(name)}")


def _trust_domain(value: str, _: str) -> StringMatch:
    return StringMatch(kind="regex", value=trust_domains.pattern(value))


# The fields of `from`, each with its opposite (`not_...`).
SOURCE = {
    "principals": Word("identity", _principal),
    "namespaces": Word("identity", _namespace),
    "service_accounts": Word("identity", _service_account),
    "trust_domains": Word("identity", _trust_domain),
    "request_principals": Word("token_subject", _text),
    "ip_blocks": Word("address", _exact),
    "remote_ip_blocks": Word("remote_address", _exact),
}
# The fields of `to`, each with its opposite.
OPERATION = {
    "hosts": Word("host", _host, _any_host),
    "ports": Word("port", _exact),
    "methods": Word("method", _text),
    "paths": Word("path", _path),
}
# The keys of `when` that are about the caller, and those about what is called.
CALLER = {
    "source.ip": Word("address", _exact),
    "remote.ip": Word("remote_address", _exact),
    "source.namespace": Word("identity", _namespace),
    "source.principal": Word("identity", _principal),
    "source.serviceAccount": Word("identity", _service_account),
    "request.auth.principal": Word("token_subject", _text),
    "request.auth.audiences": Word("claim", _text),
    "request.auth.presenter": Word("claim", _text),
    "request.auth.claims": Word("claim", _text),
    "request.headers": Word("header", _text),
}
CALLED = {
    "destination.ip": Word("destination_address", _exact),
    "destination.port": Word("port", _exact),
    "connection.sni": Word("server_name", _text),
}
_CLAIM_OF = {"request.auth.audiences": "aud", "request.auth.presenter": "azp"}
_KEY = re.compile(r"(?P<key>[\w.]+?)(?P<names>(?:\[[^\]]+\])+)?$")


def of_fields(
    said: istio.Source | istio.Operation, words: dict[str, Word], namespace: str, *, refuses: bool = False
) -> Iterator[Condition]:
    """The conditions of one `source` or `operation`; all of them have to hold. `refuses`: what they take is refused."""
    for field, word in words.items():
        for prefix, negated in (("", False), ("not_", True)):
            values: tuple[str, ...] = getattr(said, prefix + field)
            if values:
                broad = word.broad if word.broad and refuses != negated else word.value
                yield from _conditions(word._replace(value=broad), values, namespace, negated=negated)


def of_key(said: istio.RequestCondition, words: dict[str, Word], namespace: str) -> Iterator[Condition]:
    """The conditions of one `when`, if its key is among `words`."""
    key, name = named(said.key)
    if key not in words:
        return
    for values, negated in ((said.values, False), (said.not_values, True)):
        if values:
            yield from _conditions(words[key], values, namespace, negated=negated, name=name)


def named(text: str) -> tuple[str, str]:
    """The key and what stands in its brackets: `request.headers[x]`, `request.auth.claims[a][b]`."""
    found = _KEY.match(text)
    if found is None:
        return text, ""
    names = re.findall(r"\[([^\]]+)\]", found["names"] or "")
    return found["key"], _CLAIM_OF.get(found["key"], ".".join(names))


def is_known(key: str) -> bool:
    word, name = named(key)
    wants_name = word in ("request.headers", "request.auth.claims")
    return word in CALLER | CALLED and (bool(name) or not wants_name)


def _conditions(
    word: Word, values: Iterable[str], namespace: str, *, negated: bool, name: str = ""
) -> Iterator[Condition]:
    tests = tuple(word.value(value, namespace) for value in values)
    yield Condition(on=word.on, values=tests, name=name, negated=negated)
