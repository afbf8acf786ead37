"""Routes: NAME, VHOST NAME, DOMAINS, MATCH, VIRTUAL SERVICE; a line for each route."""

from collections.abc import Iterator
from typing import Any

from semafor.app.envoy_tables.documents import Documents

Doc = dict[str, Any]
HEADER = ("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE")
_SHOWN_DOMAINS = 3


def chosen(envoy: Documents, options: Doc) -> list[Doc]:
    """The tables that the options ask for: those of ports by number, then the others."""
    found = [each for each in envoy.routes if options.get("name") in (None, each.get("name", ""))]
    return sorted(found, key=lambda each: _order(each.get("name", "")))


def rows(envoy: Documents, found: list[Doc]) -> list[tuple[str, ...]]:
    return [row for table in found for row in _rows(table, envoy.origins["routes"])]


def _order(name: str) -> tuple[bool, int, str]:
    return (not name.isdigit(), int(name) if name.isdigit() else 0, name)


def _rows(table: Doc, origins: Doc) -> Iterator[tuple[str, ...]]:
    name = table.get("name", "")
    for host in table.get("virtual_hosts", ()):
        rules = origins.get(name, {}).get(host["name"], [])
        for index, route in enumerate(host.get("routes", ())):
            rule = rules[index] if index < len(rules) else ""
            yield (name, host["name"], _domains(host["domains"]), _match(route["match"]), rule or _answer(route))


def _domains(domains: list[str]) -> str:
    """The shortest first, and how many there are besides; those with a port go without saying."""
    bare = [each for each in domains if f"{each.rpartition(':')[0]}" not in domains]
    more = len(bare) - _SHOWN_DOMAINS
    return ", ".join(sorted(bare, key=len)[:_SHOWN_DOMAINS]) + (f" + {more} more..." if more > 0 else "")


def _match(match: Doc) -> str:
    if "path_separated_prefix" in match:
        path = f"PathPrefix:{match['path_separated_prefix']}"
    elif "safe_regex" in match:
        path = f"regex {match['safe_regex']['regex']}"
    else:
        path = match.get("path", f"{match.get('prefix', '')}*")
    conditions = [each["name"] for each in (*match.get("headers", ()), *match.get("query_parameters", ()))]
    return f"{path} {' '.join(conditions)}".strip()


def _answer(route: Doc) -> str:
    """istioctl marks what is answered without a destination."""
    return "404" if route.get("direct_response", {}).get("status") == 404 else ""
