"""A VirtualService's match conditions as the plan's. Source: Istio's reference, HTTPMatchRequest."""

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.ir import HeaderMatch, Origin, PathMatch, QueryMatch, RouteMatch, StringMatch
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.resources.istio import virtual_service as istio

_IMPLEMENTED = (
    "name",
    "uri",
    "scheme",
    "method",
    "authority",
    "headers",
    "without_headers",
    "query_params",
    "port",
    "source_labels",
    "source_namespace",
    "gateways",
    "ignore_uri_case",
    "stat_prefix",
)
_PSEUDO = (("method", ":method"), ("authority", ":authority"), ("scheme", ":scheme"))
_TOKEN = "@request.auth."  # noqa: S105 -- a name, no secret
_CLAIMS = f"{_TOKEN}claims"
_BRACKETS = re.compile(r"(\[[^\[\]]+\])+")
_PRESENT = (None, "*")  # Istio: the regular expression "*" (which is none) means that the header is there


def read(match: istio.HTTPMatchRequest) -> RouteMatch:
    """The conditions on the request itself; where it comes from is `step.Source`."""
    headers = [_header(name, test) for name, test in match.headers.items()]
    without = [_without(name, test) for name, test in match.without_headers.items()]
    pseudo = [_header(name, test) for field, name in _PSEUDO if (test := getattr(match, field)) is not None]
    return RouteMatch(
        path=_path(match.uri, ignore_case=match.ignore_uri_case),
        headers=(*sorted(headers + without, key=lambda header: (header.name, header.inverted)), *pseudo),
        query=tuple(QueryMatch(name=name, value=value(test)) for name, test in sorted(match.query_params.items())),
    )


def check(match: istio.HTTPMatchRequest, origin: Origin) -> Iterator[Problem]:
    """What of the conditions is not implemented or can not work."""
    yield from refused.fields(match, origin, *_IMPLEMENTED)
    for field in ("uri", "scheme", "method", "authority"):
        if (test := getattr(match, field)) is not None:
            yield from check_text(test, at(origin, field))
    for field, tests in (
        ("headers", match.headers),
        ("withoutHeaders", match.without_headers),
        ("queryParams", match.query_params),
    ):
        yield from _check_tests(tests, at(origin, field))


def _check_tests(tests: Mapping[str, istio.StringMatch], origin: Origin) -> Iterator[Problem]:
    for name, test in tests.items():
        place = at(origin, f"[{name}]")
        if name.lower().startswith(_TOKEN) and not claim(name):
            yield problems.invalid(place, "it names no claim", f"write {_CLAIMS}.name or {_CLAIMS}[name]")
        yield from check_text(test, place)


def check_text(test: istio.StringMatch, origin: Origin) -> Iterator[Problem]:
    """Envoy would refuse the whole route table for one bad expression, so it never gets there."""
    if test.regex in _PRESENT:
        return
    if why := regex_error(test.regex or ""):
        yield problems.invalid(at(origin, "regex"), f"{test.regex!r} is not a regular expression: {why}")


# Python knows these, RE2 does not: looking around, back references, conditions, atomic groups, possessive repetition.
_NOT_RE2 = re.compile(r"\(\?(?:[=!>]|<[=!]|P=|\()|\\[1-9]|[*+?}]\+")


def regex_error(regex: str) -> str:
    """Why RE2 would not take the expression; empty if it would. Python's parser stands in for RE2's."""
    if _NOT_RE2.search(regex):
        return "RE2 has no look-around, back references or possessive repetition"
    try:
        re.compile(regex)
    except re.error as error:
        return str(error)
    return ""


def _path(uri: istio.StringMatch | None, *, ignore_case: bool) -> PathMatch:
    """Istio: the case is ignored for exact and prefix tests only."""
    if uri is None:
        return PathMatch()
    if uri.exact is not None:
        return PathMatch(kind="exact", value=uri.exact, ignore_case=ignore_case)
    if uri.prefix is not None:
        return PathMatch(kind="prefix", value=uri.prefix, ignore_case=ignore_case and uri.prefix != "/")
    if uri.regex not in {None, ".*"}:  # the one expression that people write for "every path"
        return PathMatch(kind="regex", value=uri.regex or "")
    return PathMatch()


def _header(name: str, test: istio.StringMatch) -> HeaderMatch:
    return _named(name, HeaderMatch(name=name.lower(), value=value(test)))


def _without(name: str, test: istio.StringMatch) -> HeaderMatch:
    wanted = value(test)
    return _named(
        name, HeaderMatch(name=name.lower(), value=wanted, inverted=True, missing_as_empty=wanted is not None)
    )


def _named(name: str, match: HeaderMatch) -> HeaderMatch:
    """The same, of a claim where the name is one's. A name that no claim has passes nothing, for no header has it."""
    keys = claim(name)
    return replace(match, name=f"{_CLAIMS}.{'.'.join(keys)}", claim=keys) if keys else match


def claim(name: str) -> tuple[str, ...]:
    """The keys in `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`; none in anything else.

    Source: Istio's task "JWT claim based routing". In brackets a key may have dots.
    """
    if not name.lower().startswith(_CLAIMS):
        return ()
    rest = name[len(_CLAIMS) :]
    if rest.startswith("."):
        keys = tuple(rest[1:].split("."))
        return keys if all(keys) else ()
    return tuple(re.findall(r"\[([^\[\]]+)\]", rest)) if _BRACKETS.fullmatch(rest) else ()


def value(test: istio.StringMatch) -> StringMatch | None:
    """The test of a value; None when being there is all that is asked."""
    if test.exact is not None:
        return StringMatch(kind="exact", value=test.exact)
    if test.prefix is not None:
        return StringMatch(kind="prefix", value=test.prefix)
    return None if test.regex in _PRESENT else StringMatch(kind="regex", value=test.regex or "")
