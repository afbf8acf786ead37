"""What becomes of a call that reaches a pod: what its sidecar does with it, found out from the rendered configuration.

Source: Envoy's documentation of filter chain matching and of role-based access control.
"""

import base64
import ipaddress
import json
import re
from typing import Any

from tests.calls import authorizers
from tests.calls.script import Call

Json = dict[str, Any]
HELLO = {"receive": ("istio-http", "istio", "h2", "http/1.1"), "accept": ("istio",)}  # what a sidecar offers
DENIED = {"receive": "403 RBAC: access denied", "accept": "closed"}
APP = "app"
CALLER_ADDRESS = "10.244.0.250"  # every call comes from there,
OWN_ADDRESS = "10.244.0.251"  # of the pod that is called
_LISTS = ("scope", "permission")  # claims with spaces between their items
PEER_ADDRESS = "127.0.0.1"  # but the connection from the test itself


def follow(listener: Json, call: Call, identity: str) -> str:
    """`app` when the app gets it, else the proxy's answer. A caller without a sidecar has an empty `identity`."""
    taken = chain(listener, call, identity)
    if taken is None or not trusts(taken, identity):
        return "closed"
    left: dict[str, str] = {}  # what filters leave for the others
    for one in filters(taken):
        config = one["typed_config"]
        if config["@type"].endswith(".RBAC"):
            left |= tried(config, call, identity)
            if not passes(config, call, identity):
                return DENIED[call.verb]
        if config["@type"].endswith(".ExtAuthz") and asks(config, left) and not authorized(call, identity):
            return f"403 {authorizers.REFUSAL}" if call.verb == "receive" else "closed"
    return _answered(taken, call) if call.verb == "receive" else APP


def _answered(taken: Json, call: Call) -> str:
    """The app gets the request, unless a route answers it."""
    table = taken["filters"][-1]["typed_config"].get("route_config", {})
    routes = [route for host in table.get("virtual_hosts", []) for route in host["routes"]]
    first = next((route for route in routes if "path" not in route["match"] or route["match"]["path"] == call.path), {})
    return str(first["direct_response"]["status"]) if "direct_response" in first else APP


def chain(listener: Json, call: Call, identity: str) -> Json | None:
    """The most specific chain that takes the connection; None when it is closed."""
    transport, offered = ("tls", HELLO[call.verb]) if identity else ("raw_buffer", _detected(call))
    fitting = []
    named = {one.get("filter_chain_match", {}).get("destination_port", 0) for one in listener["filter_chains"]}
    own = call.port if call.port in named else 0  # Envoy does not go back to chains of every port
    for number, one in enumerate(listener["filter_chains"]):
        match = one.get("filter_chain_match", {})
        port, wanted = match.get("destination_port", 0), match.get("transport_protocol", "")
        alpn = match.get("application_protocols", [])
        if port == own and wanted in ("", transport) and (not alpn or set(alpn) & set(offered)):
            fitting.append((bool(wanted), bool(alpn), -number, one))
    return max(fitting)[-1] if fitting else None


def trusts(taken: Json, identity: str) -> bool:
    """Whether the chain takes a certificate of that identity, if it ends TLS at all."""
    socket = taken.get("transport_socket", {}).get("typed_config", {})
    wanted = socket.get("common_tls_context", {}).get("combined_validation_context", {})
    names = wanted.get("default_validation_context", {}).get("match_typed_subject_alt_names", [])
    return not names or any(identity.startswith(one["matcher"].get("prefix", "\0")) for one in names)


def _detected(call: Call) -> tuple[str, ...]:
    return ("http/1.1",) if call.verb == "receive" else ()


def filters(taken: Json) -> list[Json]:
    """The filters that see the call, one after the other."""
    last = taken["filters"][-1]["typed_config"]
    return [*taken["filters"], *last.get("http_filters", [])]


def passes(config: Json, call: Call, identity: str) -> bool:
    """Whether the filter lets the call pass; rules that are only tried, or logged, refuse nothing."""
    rules = config.get("rules")
    if rules is None or rules.get("action") == "LOG":
        return True
    return takes(rules, call, identity) == (rules.get("action", "ALLOW") == "ALLOW")


def tried(config: Json, call: Call, identity: str) -> dict[str, str]:
    """The name of the first of the rules that are only tried which takes the call, under the key that it is left at."""
    rules = config.get("shadow_rules", {})
    for name, policy in sorted(rules.get("policies", {}).items()):
        if takes({"policies": {name: policy}}, call, identity):
            return {f"{config.get('shadow_rules_stat_prefix', '')}shadow_effective_policy_id": name}
    return {}


def asks(config: Json, left: dict[str, str]) -> bool:
    wanted = config["filter_enabled_metadata"]
    (step,) = wanted["path"]
    return left.get(step["key"], "").startswith(wanted["value"]["string_match"]["prefix"])


def authorized(call: Call, identity: str) -> bool:
    """What the servers of `authorizers` would say."""
    if call.verb == "receive":
        return authorizers.allows(dict(call.headers))
    return authorizers.allows_bytes(identity)


def takes(rules: Json, call: Call, identity: str) -> bool:
    """Whether one of the policies takes the call."""
    return any(
        any(_holds(one, call, identity) for one in policy["principals"])
        and any(_holds(one, call, identity) for one in policy["permissions"])
        for policy in rules.get("policies", {}).values()
    )


def _holds(node: Json, call: Call, identity: str) -> bool:
    """A principal or a permission; of bytes, no condition on a request holds."""
    ((kind, value),) = node.items()
    match kind:
        case "any":
            return True
        case "and_ids" | "and_rules":
            return all(_holds(one, call, identity) for one in value.get("ids", value.get("rules")))
        case "or_ids" | "or_rules":
            return any(_holds(one, call, identity) for one in value.get("ids", value.get("rules")))
        case "not_id" | "not_rule":
            return not _holds(value, call, identity)
        case "authenticated":
            return bool(identity) and _text(value["principal_name"], identity)
        case "direct_remote_ip" | "remote_ip":
            own = PEER_ADDRESS if kind == "direct_remote_ip" else CALLER_ADDRESS
            return ipaddress.ip_address(own) in ipaddress.ip_network(_cidr(value))
        case "destination_port":
            return bool(value == call.port)
        case "destination_ip":
            return ipaddress.ip_address(OWN_ADDRESS) in ipaddress.ip_network(_cidr(value))
        case "requested_server_name":
            return _text(value, "")  # no caller of these tests names one
    return call.verb == "receive" and _of_request(kind, value, call)


def _of_request(kind: str, value: Json, call: Call) -> bool:
    match kind:
        case "metadata":
            return _claimed(value, dict(call.headers))
        case "url_path":
            return _text(value["path"], call.path.partition("?")[0])
        case "header":
            own = {":method": call.method, ":authority": call.host}
            said = {**own, **dict(call.headers)}
            name = value["name"].lower()
            return name in said and _text(value["string_match"], said[name])
    raise AssertionError(f"what is {kind}?")


def _cidr(value: Json) -> str:
    return f"{value['address_prefix']}/{value['prefix_len']}"


def _claimed(node: Json, headers: dict[str, str]) -> bool:
    """A claim of the token, which counts as a valid one."""
    found: Any = {"payload": claims(headers.get("authorization", ""))}
    for step in node["path"]:
        found = found.get(step["key"]) if isinstance(found, dict) else None
    if node["path"][-1]["key"] in _LISTS and isinstance(found, str):
        found = found.split(" ")
    if "list_match" in node["value"]:
        one_of = node["value"]["list_match"]["one_of"]["string_match"]
        return isinstance(found, list) and any(isinstance(one, str) and _text(one_of, one) for one in found)
    return isinstance(found, str) and _text(node["value"]["string_match"], found)


def claims(authorization: str) -> Json:
    """What a token says; nothing without one."""
    if "." not in authorization:
        return {}
    said: Json = json.loads(base64.urlsafe_b64decode(authorization.split(".")[1] + "=="))
    return said


def _text(test: Json, value: str) -> bool:
    if "safe_regex" in test:
        return bool(re.fullmatch(test["safe_regex"]["regex"], value))
    (kind,) = test.keys() - {"ignore_case"}
    wanted: str = test[kind]
    if test.get("ignore_case"):
        value, wanted = value.lower(), wanted.lower()
    return {"exact": value == wanted, "prefix": value.startswith(wanted), "suffix": value.endswith(wanted)}[kind]
