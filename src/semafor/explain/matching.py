"""Whether a route takes a request; if not, why not.

Source: Envoy's reference of RouteMatch and HeaderMatcher.
"""

from collections.abc import Iterator

from semafor.explain import texts
from semafor.explain.request import Request
from semafor.ir import HeaderMatch, PathMatch, QueryMatch, RouteMatch

_PSEUDO = {":method": "the method", ":authority": "the host", ":scheme": "the scheme"}
_PATHS = {"exact": "is", "prefix": "begins with", "segment_prefix": "is or is below", "regex": "matches"}


def refusal(match: RouteMatch, request: Request) -> str:
    """The first test that the request does not pass, in words; empty when the route takes it."""
    return next(_refusals(match, request), "")


def _refusals(match: RouteMatch, request: Request) -> Iterator[str]:
    if not _path_holds(match.path, request.plain_path):
        yield f"the path is {request.plain_path}, and it wants one that {_path_words(match.path)}"
    for header in match.headers:
        if header.claim:
            yield from _claim_refusal(header, request)
        elif not _header_holds(header, request.header(header.name)):
            yield _header_refusal(header, request.header(header.name))
    for parameter in match.query:
        value = request.query.get(parameter.name)
        if value is None or (parameter.value and not texts.holds(parameter.value, value)):
            told = "is absent" if value is None else f'is "{value}"'
            yield f"the query's {parameter.name} {told}, and it wants {_query_words(parameter)}"


def words(match: RouteMatch) -> str:
    """What a request must look like: `path begins with "/v1", header x-user is "ada"`."""
    found = [] if match.path.is_any else [f"path {_path_words(match.path)}"]
    found += [_header_words(header) for header in match.headers]
    found += [f"query {_query_words(parameter)}" for parameter in match.query]
    found += [f"{match.percent:g} % of what comes"] if match.percent != 100 else []
    return ", ".join(found) or "every request"


def _path_holds(test: PathMatch, path: str) -> bool:
    if test.kind == "regex":
        return texts.full_match(test.value, path, ignore_case=test.ignore_case)
    wanted = test.value.lower() if test.ignore_case else test.value
    path = path.lower() if test.ignore_case else path
    match test.kind:
        case "exact":
            return path == wanted
        case "segment_prefix":
            return f"{path}/".startswith(f"{wanted.rstrip('/')}/")
        case _:
            return path.startswith(wanted)


def _path_words(test: PathMatch) -> str:
    return f'{_PATHS[test.kind]} "{test.value}"' + (" in any case" if test.ignore_case else "")


def _header_holds(test: HeaderMatch, value: str | None) -> bool:
    if value is None and test.missing_as_empty:
        value = ""
    if test.value is None:
        return (value is not None) != test.inverted
    # An absent header passes no test of its value, not even an inverted one.
    return value is not None and texts.holds(test.value, value) != test.inverted


def _header_refusal(test: HeaderMatch, value: str | None) -> str:
    name = _PSEUDO.get(test.name, f"the header {test.name}")
    told = "is absent" if value is None else f'is "{value}"'
    return f"{name} {told}, and it wants {_header_words(test)}"


def _claim_refusal(test: HeaderMatch, request: Request) -> Iterator[str]:
    """Of a token's claim, which may be a list; an absent one passes an inverted test."""
    values = request.claim(".".join(test.claim))
    passes = any(test.value is None or texts.holds(test.value, value) for value in values)
    if passes == test.inverted:
        told = f"is {', '.join(values)}" if values else "is absent"
        yield f"the claim {'.'.join(test.claim)} {told}, and it wants {_header_words(test)}"


def _header_words(test: HeaderMatch) -> str:
    name = _PSEUDO.get(test.name, f"header {test.name}").removeprefix("the ")
    name = f"claim {'.'.join(test.claim)}" if test.claim else name
    if test.value is None:
        return f"{name} {'absent' if test.inverted else 'present'}"
    return f"{name} {'not: ' if test.inverted else ''}{texts.words(test.value)}"


def _query_words(test: QueryMatch) -> str:
    return f"{test.name} {texts.words(test.value) if test.value else 'present'}"
