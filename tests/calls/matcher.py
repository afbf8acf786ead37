"""Where Envoy would send a call, found out in process from the rendered configuration, by Envoy's own rules.

Source: Envoy's documentation of filter chain matching, virtual host domains, route matching and original destination.
"""

import dataclasses
import re
from typing import Any

from tests.calls import chains, inbound, outcome, paths
from tests.calls.script import Call

from semafor import ir
from semafor.base import xds
from semafor.envoy.pool import Pool
from semafor.envoy.render import Renderer

Json = dict[str, Any]
ELSEWHERE = "203.0.113.1"  # the address of every host that the mesh does not know (TEST-NET-3)


class Matcher:
    """One proxy's configuration, decoded from the bytes that it would get."""

    def __init__(self, pool: Pool, plan: ir.Plan, names: dict[str, str]) -> None:
        """`names` are the addresses that the cluster's DNS knows."""
        self.pool = pool
        renderer = Renderer(pool)
        rendered = renderer.patched(renderer.render(plan), plan).resources
        self.names = names
        self.namespace = plan.proxy.rpartition(".")[2]
        self.listeners = _decoded(pool, rendered, xds.LISTENER)
        self.tables = _decoded(pool, rendered, xds.ROUTES)
        self.clusters = _decoded(pool, rendered, xds.CLUSTER)
        self.endpoints = _decoded(pool, rendered, xds.ENDPOINTS)
        self.secrets = _decoded(pool, rendered, xds.SECRET)

    def follow(self, call: Call, identity: str = "") -> str:
        """The result of the call, in the words of `script`; of one that comes in, by a caller of that identity."""
        if call.is_inbound:
            return inbound.follow(self.listeners["virtualInbound"], call, identity)
        address = self.address(call.host)
        chain = chains.taken_by(self.listener(address, call.port), call, address)
        if chain is None:
            return "nowhere"
        config = chain["filters"][-1]["typed_config"]
        if "stat_prefix" in config and config["@type"].endswith("TcpProxy"):
            weighted = config.get("weighted_clusters", {}).get("clusters", [])
            found = [(one["name"], one["weight"], {}) for one in weighted] or [(config["cluster"], 1, {})]
            return outcome.shares(self, found, outcome.of_bytes(config))
        table = config.get("route_config") or self.tables[config["rds"]["route_config_name"]]
        before, question, query = call.path.partition("?")
        call = dataclasses.replace(call, path=f"{paths.normalized(config, before)}{question}{query}", asked=call.path)
        host = virtual_host(table, call.host if call.port == 80 else f"{call.host}:{call.port}")
        return routed(self, host, call)

    def address(self, host: str) -> str:
        """What DNS answers, with the search domains of a pod."""
        searched = (f"{self.namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local")
        names = [host, *(f"{host}.{domain}" for domain in searched)]
        literal = host if re.fullmatch(r"[\d.]+", host) else ELSEWHERE
        names += [f"*{host[dot:]}" for dot in range(len(host)) if host[dot] == "."]
        return next((self.names[name] for name in names if name in self.names), literal)

    def listener(self, address: str, port: int) -> Json:
        """The listener that a redirected connection is handed to."""
        handed = [one for one in self.listeners.values() if one.get("bind_to_port") is False]
        own = [one for one in self.listeners.values() if one.get("bind_to_port") is not False]
        for wanted in ((address, port), ("0.0.0.0", port)):
            for one in handed:
                socket = one["address"]["socket_address"]
                if (socket["address"], socket["port_value"]) == wanted:
                    return one
        for one in own:
            socket = one["address"].get("socket_address", {})
            if (socket.get("address"), socket.get("port_value")) == (address, port):
                return one
        return self.listeners["virtualOutbound"]


def routed(matcher: Matcher, host: Json | None, call: Call) -> str:
    """What the first route that takes the call does; with shares, where routes take a part of the calls only."""
    found: list[tuple[str, float]] = []
    left = 100.0
    for route in host.get("routes", ()) if host else ():
        if left and matches(route["match"], call):
            part = route["match"].get("runtime_fraction", {}).get("default_value")
            taken = left * part.get("numerator", 0) / 1_000_000 if part else left
            found.append((outcome.of(matcher, route, call), taken))
            left -= taken
    found += [("404", left)] if left else []
    if len(found) == 1:
        return found[0][0]
    parts = [(*text.partition(" "), share) for text, share in found]
    return ", ".join(f"{head} {round(share, 2):g}% {rest}".strip() for head, _, rest, share in parts)


def _decoded(pool: Pool, rendered: xds.Resources, type_url: str) -> dict[str, Json]:
    """The resources of one type as JSON, by name."""
    found = {}
    for name, resource in rendered.named(type_url).items():
        response = pool("envoy.service.discovery.v3.DeltaDiscoveryResponse").FromString(resource.frame)
        message = pool.message(type_url.rpartition("/")[2])
        found[name] = pool.document(message.FromString(response.resources[0].resource.value))
    return found


def virtual_host(table: Json, authority: str) -> Json | None:
    """Exact domain, then the longest `*.suffix`, then `*`."""
    domains = {domain.lower(): host for host in table.get("virtual_hosts", []) for domain in host["domains"]}
    wildcards = sorted(
        (domain for domain in domains if domain.startswith("*") and domain != "*"), key=len, reverse=True
    )
    for domain in (authority.lower(), *wildcards, "*"):
        if domain in domains and (domain in (authority.lower(), "*") or authority.lower().endswith(domain[1:])):
            found: Json = domains[domain]
            return found
    return None


def matches(match: Json, call: Call) -> bool:
    path, _, query = call.path.partition("?")
    headers = {":method": call.method, ":authority": call.host, ":scheme": call.scheme or "http", **dict(call.headers)}
    parameters = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    return (
        _path(match, path)
        and all(_header(test, headers) for test in match.get("headers", []))
        and all(_parameter(test, parameters) for test in match.get("query_parameters", []))
        and all(_claim(test, headers.get("authorization", "")) for test in match.get("dynamic_metadata", []))
    )


def _claim(test: Json, authorization: str) -> bool:
    """A claim of the token, which counts as a valid one: the text, or a list with it."""
    found: Any = {"payload": inbound.claims(authorization)}
    for step in test["path"]:
        found = found.get(step["key"]) if isinstance(found, dict) else None
    wanted = test["value"]["or_match"]["value_matchers"][0]["string_match"]
    texts = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]
    return any(_text(wanted, one) for one in texts) != test.get("invert", False)


def _path(match: Json, path: str) -> bool:
    if "safe_regex" in match:
        return bool(re.fullmatch(match["safe_regex"]["regex"], path))
    fold = str.lower if match.get("case_sensitive") is False else str
    if "path" in match:
        return fold(path) == fold(match["path"])
    if "path_separated_prefix" in match:
        return f"{fold(path)}/".startswith(f"{fold(match['path_separated_prefix'])}/")
    return fold(path).startswith(fold(match["prefix"]))


def _header(test: Json, headers: dict[str, str]) -> bool:
    value = headers.get(test["name"])
    if value is None and test.get("treat_missing_header_as_empty"):
        value = ""
    if "string_match" not in test:
        return (value is not None) != test.get("invert_match", False)
    # An absent header passes no test of its value, not even an inverted one.
    return value is not None and _text(test["string_match"], value) != test.get("invert_match", False)


def _parameter(test: Json, parameters: dict[str, str]) -> bool:
    value = parameters.get(test["name"])
    return value is not None and ("string_match" not in test or _text(test["string_match"], value))


def _text(test: Json, value: str) -> bool:
    if "safe_regex" in test:
        return bool(re.fullmatch(test["safe_regex"]["regex"], value))
    if "exact" in test:
        return bool(value == test["exact"])
    return value.startswith(test["prefix"])
