"""What becomes of a call that a route takes, in the words of `script`."""

import re
from typing import TYPE_CHECKING, Any

from tests.calls import filters

if TYPE_CHECKING:
    from tests.calls.matcher import Matcher
    from tests.calls.script import Call

Json = dict[str, Any]
_NAMES = {"PassthroughCluster": "direct", "BlackHoleCluster": "nowhere", "egress": "outside"}
_SERVICE = ".svc.cluster.local"
_USUAL_RETRIES = 2  # not worth telling
_ALL = 100  # per cent
_ABORTED = "fault filter abort"  # Envoy's words
_REDIRECTS = {"FOUND": 302, "SEE_OTHER": 303, "TEMPORARY_REDIRECT": 307, "PERMANENT_REDIRECT": 308}


def of(matcher: "Matcher", route: Json, call: "Call") -> str:
    if answer := filters.preflight(route, call):
        return answer
    status, share = filters.aborted(route, call)
    if share == _ALL:
        return f"{status} {_ABORTED}"
    passed = _passed(matcher, route, call)
    return f"{status} {share:g}% {_ABORTED}, {passed} {_ALL - share:g}%" if share else passed


def _passed(matcher: "Matcher", route: Json, call: "Call") -> str:
    """What becomes of it when no filter answers."""
    if "direct_response" in route:
        answer = route["direct_response"]
        return f"{answer['status']} {answer.get('body', {}).get('inline_string', '')}".strip()
    if "redirect" in route:
        return _redirect(route, call)
    action = route["route"]
    weighted = action.get("weighted_clusters", {}).get("clusters")
    found = [(one["name"], one["weight"], one) for one in weighted] if weighted else [(action["cluster"], 1, {})]
    return shares(matcher, found, _changes(matcher, route, call))


def shares(matcher: "Matcher", clusters: list[tuple[str, int, Json]], changes: Json) -> str:
    """The destinations with their shares in per cent; no share where there is one destination."""
    total = sum(weight for _, weight, _ in clusters)
    texts = []
    for name, weight, own in clusters:
        told = {**changes, **_own_changes(own)}
        if "host" in changes:
            told["host"] = changes["host"]  # what the route says of the host wins
        notes = f" ({', '.join(f'{key} {value}' for key, value in told.items())})" if told else ""
        share = f" {100 * weight / total:g}%" if len(clusters) > 1 else ""
        texts.append(destination(matcher, name) + share + notes)
    return ", ".join(texts)


def of_bytes(proxy: Json) -> Json:
    """What a TcpProxy does beside forwarding, as far as it is told."""
    changes = {"hash": "address"} if "hash_policy" in proxy else {}
    if tunnel := proxy.get("tunneling_config"):
        changes["tunnel"] = f"{'POST' if tunnel.get('use_post') else 'CONNECT'} {tunnel['hostname']}"
    return changes


def _hash_key(policy: Json) -> str:
    for kind, name in (("header", "header_name"), ("cookie", "name"), ("query_parameter", "name")):
        if kind in policy:
            return f"{kind.removesuffix('_parameter')} {policy[kind][name]}"
    return "address"


def destination(matcher: "Matcher", cluster: str) -> str:
    if cluster in _NAMES:
        return _NAMES[cluster]
    if cluster not in matcher.clusters:
        return "500" if cluster == "nowhere" else f"503 no cluster {cluster}"
    _, _, subset, host = cluster.split("|" if "|" in cluster else "_.", 3)  # as a cluster or as a server name
    text = _service(host, matcher.namespace)
    text = f"{text}/{subset}" if subset else text
    node = matcher.clusters[cluster]
    if node.get("type") == "ORIGINAL_DST":
        return f"{text} (that pod)" if host.endswith(_SERVICE) else f"{text} (that address)"
    if "cluster_type" in node:
        return f"{text} (that host)"
    fed = matcher.endpoints.get(cluster) or node.get("load_assignment", {})
    return text if fed.get("endpoints") else f"503 no endpoints of {text}"


def _service(host: str, namespace: str) -> str:
    """The host, without what goes without saying."""
    if not host.endswith(_SERVICE):
        return host
    name, _, owner = host.removesuffix(_SERVICE).partition(".")
    return name if owner == namespace else f"{name}.{owner}"


def _changes(matcher: "Matcher", route: Json, call: "Call") -> Json:
    action, changes = route["route"], {}
    path = _rewritten(route, call.path.partition("?")[0])
    if path != (call.asked or call.path).partition("?")[0]:
        changes["path"] = path
    if "host_rewrite_literal" in action:
        changes["host"] = action["host_rewrite_literal"]
    if action.get("timeout", "0s") != "0s":
        changes["timeout"] = action["timeout"]
    retries = action.get("retry_policy", {}).get("num_retries", 0)
    if retries != _USUAL_RETRIES and action.get("cluster") not in _NAMES:
        changes["retries"] = retries
    for mirror in action.get("request_mirror_policies", ()):
        share = filters.percent(mirror["runtime_fraction"]["default_value"])
        copy = destination(matcher, mirror["cluster"]) + ("" if share == _ALL else f" of {share:g} in 100")
        changes["mirror"] = f"{changes['mirror']} and {copy}" if "mirror" in changes else copy
    if keys := action.get("hash_policy"):
        changes["hash"] = _hash_key(keys[0])
    return {**changes, **_own_changes(route), **filters.changes(route, call)}


def _own_changes(node: Json) -> Json:
    """Header changes of a route or of a destination."""
    changes = {}
    for side in ("request", "response"):
        for entry in node.get(f"{side}_headers_to_add", []):
            how = "add" if entry.get("append_action", "APPEND").startswith("APPEND") else "set"
            changes[f"{side} {how} {entry['header']['key']}"] = entry["header"]["value"]
        if removed := node.get(f"{side}_headers_to_remove"):
            changes[f"{side} remove"] = " ".join(removed)
    if "name" in node and "host_rewrite_literal" in node:
        changes["host"] = node["host_rewrite_literal"]
    return changes


def _rewritten(route: Json, path: str) -> str:
    action, match = route["route"], route["match"]
    if "prefix_rewrite" in action:
        taken = path if "path" in match else match.get("path_separated_prefix", match.get("prefix", path))
        return action["prefix_rewrite"] + path[len(taken) :]
    if "regex_rewrite" in action:
        rule = action["regex_rewrite"]
        return re.sub(rule["pattern"]["regex"], rule["substitution"], path).partition("?")[0]
    return path


def _redirect(route: Json, call: "Call") -> str:
    redirect, (before, mark, query) = route["redirect"], call.path.partition("?")
    status = _REDIRECTS.get(redirect.get("response_code", ""), 301)
    host = redirect.get("host_redirect", call.host)
    port = redirect.get(
        "port_redirect", 0 if "host_redirect" in redirect or call.port == 80 or call.is_entering else call.port
    )
    path = redirect.get("path_redirect", _rewritten({**route, "route": redirect}, before))
    scheme = redirect.get("scheme_redirect", call.scheme or "http")
    return f"{status} {scheme}://{host}{f':{port}' if port else ''}{path}{mark}{query}"
