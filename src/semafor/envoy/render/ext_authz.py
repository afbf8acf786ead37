"""ir.Authorizer -> the fields of Envoy's filters that ask somebody else, for requests and for bytes.

Before each stands a filter of role-based access control whose rules are only tried: it leaves the name of the rule
that takes the request in the metadata, and nobody is asked without it. Source: Istio, which does the same.
"""

from typing import Final

from semafor import ir
from semafor.envoy.render import matches, rbac
from semafor.envoy.render.shape import Fields, seconds

_HTTP_RULES: Final = "envoy.filters.http.rbac"  # under these names the filters of RBAC leave what they found
_TCP_RULES: Final = "envoy.filters.network.rbac"


def of_requests(guard: ir.Guard, number: int) -> Fields:
    """The fields of envoy.extensions.filters.http.ext_authz.v3.ExtAuthz."""
    node = _authorizer(guard)
    fields: Fields = {
        **_common(node, _HTTP_RULES, number),
        "status_on_error": {"code": node.status_on_error},
        "clear_route_cache": node.clear_route_cache,
    }
    if node.body:
        body = node.body
        fields["with_request_body"] = {
            "max_request_bytes": body.max_bytes,
            "allow_partial_message": body.partial,
            "pack_as_bytes": body.packed,
        }
    if node.protocol == "grpc":
        return fields | {"grpc_service": _grpc(node)}
    return fields | {"http_service": _http(node)} | _names("allowed_headers", node.headers)


def of_bytes(guard: ir.Guard, number: int) -> Fields:
    """The fields of envoy.extensions.filters.network.ext_authz.v3.ExtAuthz."""
    node = _authorizer(guard)
    return {**_common(node, _TCP_RULES, number), "stat_prefix": "tcp.", "grpc_service": _grpc(node)}


def _authorizer(guard: ir.Guard) -> ir.Authorizer:
    assert guard.authorizer is not None, "who asks has somebody to ask"
    return guard.authorizer


def _common(node: ir.Authorizer, rules: str, number: int) -> Fields:
    taken = {"string_match": {"prefix": rbac.ASKED}}
    return {
        "transport_api_version": "V3",
        "failure_mode_allow": node.fail_open,
        "filter_enabled_metadata": {"filter": rules, "path": [{"key": rbac.asked_key(number)}], "value": taken},
    }


def _grpc(node: ir.Authorizer) -> Fields:
    target = {"cluster_name": node.cluster, "authority": node.authority}
    return {"envoy_grpc": target, "timeout": seconds(node.timeout_s)}


def _http(node: ir.Authorizer) -> Fields:
    fields: Fields = {
        # Envoy wants an address, and goes to the cluster.
        "server_uri": {"uri": f"http://{node.authority}", "cluster": node.cluster, "timeout": seconds(node.timeout_s)},
        "path_prefix": node.path_prefix,
    }
    if node.added_headers:
        added = [{"key": name, "value": value} for name, value in node.added_headers]
        fields["authorization_request"] = {"headers_to_add": added}
    answer = {
        **_names("allowed_upstream_headers", node.to_app),
        **_names("allowed_client_headers", node.to_caller_on_deny),
        **_names("allowed_client_headers_on_success", node.to_caller_on_allow),
    }
    return fields | ({"authorization_response": answer} if answer else {})


def _names(field: str, names: tuple[ir.StringMatch, ...]) -> Fields:
    return {field: {"patterns": [matches.string(name) for name in names]}} if names else {}
