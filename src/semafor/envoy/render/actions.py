"""What a route does -> the action fields of envoy.config.route.v3.Route."""

import re
from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, percent, seconds, typed, wrap

_REDIRECTS: Final = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_OTHER_HOST_ATTEMPTS: Final = 5  # how often Envoy draws again to find an instance that has not been tried
# "%" begins a substitution in Envoy's header values; one that begins none would get the whole table refused.
_STRAY_PERCENT: Final = re.compile(r"%%|%[A-Z][A-Z0-9_]*(?:\([^)]*\))?(?::\d+)?%|(%)")


def action(pool: Pool, node: ir.Forward | ir.Redirect | ir.DirectResponse | ir.Fail) -> Fields:
    match node:
        case ir.Forward():
            return {"route": _forward(pool, node)}
        case ir.Redirect():
            return {"redirect": _redirect(node)}
        case ir.DirectResponse(status=status, body=body):
            return {"direct_response": _answer(status, body)}
        case ir.Fail(reason=reason):
            return {"direct_response": _answer(503, reason)}


def headers(request: ir.HeaderOps, response: ir.HeaderOps) -> Fields:
    """The header changes of a route or of one destination."""
    fields: Fields = {}
    for side, changes in (("request", request), ("response", response)):
        added = [_header(*pair, "OVERWRITE_IF_EXISTS_OR_ADD") for pair in changes.set]
        added += [_header(*pair, "APPEND_IF_EXISTS_OR_ADD") for pair in changes.add]
        if added:
            fields[f"{side}_headers_to_add"] = added
        if changes.remove:
            fields[f"{side}_headers_to_remove"] = changes.remove
    return fields


def _header(name: str, value: str, how: str) -> Fields:
    escaped = _STRAY_PERCENT.sub(lambda found: "%%" if found[1] else found[0], value)
    return {"header": {"key": name, "value": escaped}, "append_action": how, "keep_empty_value": True}


def _forward(pool: Pool, node: ir.Forward) -> Fields:
    fields: Fields = {"timeout": seconds(node.timeout_s), **_destinations(node.destinations), **_rewrite(node.rewrite)}
    if node.retry is not None:
        fields["retry_policy"] = _retry(pool, node.retry)
    if node.failure != 503:
        fields["cluster_not_found_response_code"] = "INTERNAL_SERVER_ERROR"
    if node.mirrors:
        fields["request_mirror_policies"] = [_mirror(mirror) for mirror in node.mirrors]
    if node.hash_keys:
        fields["hash_policy"] = [_hash_key(key) for key in node.hash_keys]
    return fields


def _destinations(nodes: tuple[ir.Destination, ...]) -> Fields:
    only = nodes[0]
    if len(nodes) == 1 and not (only.host or headers(only.request, only.response)):
        return {"cluster": only.cluster}
    return {"weighted_clusters": {"clusters": [_weighted(node) for node in nodes]}}


def _weighted(node: ir.Destination) -> Fields:
    fields = {"name": node.cluster, "weight": wrap(node.weight), **headers(node.request, node.response)}
    if node.host:
        fields["host_rewrite_literal"] = node.host
    return fields


def _mirror(node: ir.Mirror) -> Fields:
    """Copies are no requests of the caller's, so they start no traces of their own.

    They have the request's host. Source: Istio since 1.28; before, and by Envoy itself, `-shadow` stands behind it.
    """
    share = {"default_value": percent(node.percent)}
    fields = {"cluster": node.cluster, "runtime_fraction": share, "disable_shadow_host_suffix_append": True}
    return {**fields, "trace_sampled": wrap(False)}  # noqa: FBT003


def _retry(pool: Pool, node: ir.Retry) -> Fields:
    fields: Fields = {
        "retry_on": ",".join(node.retry_on),
        "num_retries": wrap(node.attempts),
        "retriable_status_codes": node.status_codes,
    }
    if node.per_try_timeout_s is not None:
        fields["per_try_timeout"] = seconds(node.per_try_timeout_s)
    if node.backoff_s is not None:
        fields["retry_back_off"] = {"base_interval": seconds(node.backoff_s)}
    if node.other_hosts:
        name = "envoy.retry_host_predicates.previous_hosts"
        type_name = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
        fields["retry_host_predicate"] = [typed(pool, name, type_name)]
        fields["host_selection_retry_max_attempts"] = _OTHER_HOST_ATTEMPTS
    if node.remote_localities:
        name = "envoy.retry_priorities.previous_priorities"
        type_name = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
        fields["retry_priority"] = typed(pool, name, type_name, update_frequency=2)
    return fields


def _rewrite(node: ir.Rewrite) -> Fields:
    fields: Fields = {}
    if node.prefix is not None:
        fields["prefix_rewrite"] = node.prefix
    if node.path is not None:
        fields["regex_rewrite"] = _substitution("^.+$", node.path.replace("\\", "\\\\"))
    if node.regex is not None:
        fields["regex_rewrite"] = _substitution(node.regex.pattern, node.regex.substitution)
    if node.host:
        fields["host_rewrite_literal"] = node.host
    return fields


def _substitution(pattern: str, substitution: str) -> Fields:
    return {"pattern": {"regex": pattern}, "substitution": substitution}


def _hash_key(node: ir.HashKey) -> Fields:
    match node.kind:
        case "header":
            return {"header": {"header_name": node.name}}
        case "cookie":
            cookie: Fields = {"name": node.name, "path": node.path}
            if node.ttl_s is not None:
                cookie["ttl"] = seconds(node.ttl_s)
            if node.attributes:
                cookie["attributes"] = [{"name": name, "value": value} for name, value in node.attributes]
            return {"cookie": cookie}
        case "source_ip":
            return {"connection_properties": {"source_ip": True}}
        case "query":
            return {"query_parameter": {"name": node.name}}


def _redirect(node: ir.Redirect) -> Fields:
    fields: Fields = {"response_code": _REDIRECTS[node.status]}
    for name, value in (
        ("scheme_redirect", node.scheme),
        ("host_redirect", node.host),
        ("port_redirect", node.port),
        ("path_redirect", node.path),
        ("prefix_rewrite", node.prefix),
    ):
        if value:
            fields[name] = value
    if node.regex is not None:
        fields["regex_rewrite"] = _substitution(node.regex.pattern, node.regex.substitution)
    return fields


def _answer(status: int, body: str | bytes) -> Fields:
    if not body:
        return {"status": status}
    return {"status": status, "body": {"inline_string" if isinstance(body, str) else "inline_bytes": body}}
