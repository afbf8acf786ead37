"""One mesh by several names: identities of its trust domain and of the domain's aliases count as the same.

Source: Istio's task "Trust Domain Migration", and its function ReplaceTrustDomainAliases.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from semafor.base import names
from semafor.ir import Condition, Conditions, Guard, Rule, StringMatch

_SPIFFE = "spiffe://"
_PARTS = 5  # of an identity in full: DOMAIN/ns/NAMESPACE/sa/ACCOUNT


def pattern(domain: str) -> str:
    """The regular expression for identities of a domain, in which `*` stands for any part of its name."""
    return f"{_SPIFFE}{'[^/]*'.join(re.escape(part) for part in domain.split('*'))}/.*"


def guards(found: Iterable[Guard], domains: tuple[str, ...]) -> Iterator[Guard]:
    """The same guards, to which an identity of one of the domains is as good as of another. `cluster.local` means all.

    Principals that leave the domain or more open (`*/ns/a/sa/b`, `cluster.local/ns/a/*`) stay what they are, as in
    Istio.
    """
    if domains == (names.TRUST_DOMAIN,):
        return (yield from found)
    for guard in found:
        yield replace(guard, rules=tuple(_rule(rule, domains) for rule in guard.rules))


def _rule(rule: Rule, domains: tuple[str, ...]) -> Rule:
    return replace(rule, who=tuple(_conditions(each, domains) for each in rule.who))


def _conditions(found: Conditions, domains: tuple[str, ...]) -> Conditions:
    return tuple(_condition(each, domains) if each.on == "identity" else each for each in found)


def _condition(condition: Condition, domains: tuple[str, ...]) -> Condition:
    values = (each for value in condition.values for each in _matches(value, domains))
    return replace(condition, values=tuple(dict.fromkeys(values)))


def _matches(match: StringMatch, domains: tuple[str, ...]) -> Iterator[StringMatch]:
    written, *others = _principal(match).split("/")
    is_of_ours = any(_fits(written, domain) for domain in (*domains, names.TRUST_DOMAIN))
    if match.kind == "regex":
        known = {pattern(domain) for domain in domains}
        yield from (replace(match, value=one) for one in map(pattern, domains)) if match.value in known else (match,)
    elif len(others) + 1 != _PARTS or written == "*" or not is_of_ours:
        yield match
    else:
        for domain in domains:
            yield match if _fits(written, domain) else _other(domain, "/".join(others))


def _principal(match: StringMatch) -> str:
    """As it was written."""
    text = match.value.removeprefix(_SPIFFE)
    return f"*{text}" if match.kind == "suffix" else f"{text}*" if match.kind == "prefix" else text


def _fits(written: str, domain: str) -> bool:
    return domain.endswith(written[1:]) if written.startswith("*") else domain == written


def _other(domain: str, rest: str) -> StringMatch:
    """The same identity in another domain, whose name is whole, even where the written one was not."""
    value = f"{_SPIFFE}{domain}/{rest.removesuffix('*')}"
    return StringMatch(kind="prefix" if rest.endswith("*") else "exact", value=value)
