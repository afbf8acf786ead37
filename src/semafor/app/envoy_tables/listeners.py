"""Listeners: ADDRESSES, PORT, MATCH, DESTINATION; a line for each filter chain."""

from typing import Any

from semafor.app.envoy_tables import documents
from semafor.app.envoy_tables.documents import Documents

Doc = dict[str, Any]
HEADER = ("ADDRESSES", "PORT", "MATCH", "DESTINATION")
_HTTP, _TCP, _BOTH = "HTTP", "TCP", "HTTP+TCP"
TYPES = (_HTTP, _TCP, _BOTH)


def chosen(envoy: Documents, options: Doc) -> list[Doc]:
    """The listeners that the options ask for, by port and address."""
    found = [each for each in envoy.listeners if _fits(each, options)]
    return sorted(found, key=lambda each: (documents.address(each["address"])[::-1], each.get("name", "")))


def rows(_: Documents, found: list[Doc]) -> list[tuple[str, ...]]:
    return [
        (address, str(port), _match(chain.get("filter_chain_match", {})), _destination(chain))
        for listener in found
        for address, port in (documents.address(listener["address"]),)
        for chain in documents.chains(listener)
    ]


def _fits(listener: Doc, options: Doc) -> bool:
    address, port = documents.address(listener["address"])
    return (
        options.get("address") in (None, address)
        and options.get("port") in (None, port)
        and (options.get("type") or _type(listener)).upper() == _type(listener)
    )


def _type(listener: Doc) -> str:
    kinds = {_HTTP if "http_filters" in config else _TCP for config in map(_last, documents.chains(listener)) if config}
    return _BOTH if len(kinds) == 2 else next(iter(kinds), "UNKNOWN")


def _last(chain: Doc) -> Doc:
    filters = chain.get("filters") or [{}]
    found: Doc = filters[-1].get("typed_config", {})
    return found


def _match(match: Doc) -> str:
    """In istioctl's words: `SNI: a.b; Trans: tls; App: HTTP; Addr: 10.0.0.0/8:80`."""
    parts = [f"SNI: {','.join(match['server_names'])}"] if match.get("server_names") else []
    parts += [f"Trans: {match['transport_protocol']}"] if match.get("transport_protocol") else []
    parts += [f"App: {','.join(match['application_protocols'])}"] if match.get("application_protocols") else []
    ranges = ",".join(f"{each['address_prefix']}/{each['prefix_len']}" for each in match.get("prefix_ranges", ()))
    port = f":{match['destination_port']}" if "destination_port" in match else ""
    parts += [f"Addr: {ranges or '*'}{port}"] if ranges or port else []
    return "; ".join(parts) or "ALL"


def _destination(chain: Doc) -> str:
    config = _last(chain)
    if "rds" in config:
        return f"Route: {config['rds']['route_config_name']}"
    if "route_config" in config:
        return _inline(config["route_config"])
    if "weighted_clusters" in config:
        return "Clusters: " + ",".join(each["name"] for each in config["weighted_clusters"]["clusters"])
    return _cluster(config["cluster"]) if "cluster" in config else "Non-HTTP/Non-TCP"


def _inline(table: Doc) -> str:
    """What a table within a listener leads to: its one cluster, or how many hosts it has."""
    routes = [route for host in table.get("virtual_hosts", ()) for route in host.get("routes", ())]
    clusters = {route.get("route", {}).get("cluster") for route in routes}
    if len(clusters) == 1 and None not in clusters:
        return _cluster(clusters.pop())
    return f"Inline Route: {', '.join(route['match'].get('prefix', '') + '*' for route in routes)}"


def _cluster(name: str) -> str:
    return name if name.endswith("Cluster") else f"Cluster: {name}"
