"""Where the labels of Istio's metrics come from: Envoy's formats for each side, and the words for what is not known.

label of         reporter source                      reporter destination
its own side     the proxy's environment              the proxy's environment
the other side   metadata of the chosen endpoint      the caller's certificate, read once for a connection
the service      metadata of the cluster              metadata of the cluster

Source: Istio's reference "Istio Standard Metrics", and its filter istio_stats for what is said where nothing is known.
"""

import json
from typing import Final, Literal

from semafor import ir
from semafor.base import peer
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, typed

NAMESPACE: Final = "semafor"  # of metadata of endpoints, clusters and routes
ENVIRONMENT: Final = "SEMAFOR_"  # before the variables of a proxy that say what it is: SEMAFOR_WORKLOAD and so on
PEER: Final = "semafor.peer"  # filter state: what a caller's certificate says
Kind = Literal["requests", "bytes"]

_FIELDS: Final = (  # label, field of base.peer.Peer
    ("workload", "workload"),
    ("canonical_service", "service"),
    ("canonical_revision", "revision"),
    ("workload_namespace", "namespace"),
    ("app", "app"),
    ("version", "version"),
)
_PRINCIPALS: Final = {
    ("source", "source"): "%UPSTREAM_LOCAL_URI_SAN%",
    ("source", "destination"): "%UPSTREAM_PEER_URI_SAN%",
    ("destination", "source"): "%DOWNSTREAM_PEER_URI_SAN%",
    ("destination", "destination"): "%DOWNSTREAM_LOCAL_URI_SAN%",
}
_REQUEST: Final = (
    ("request_protocol", "%REQ(content-type)%"),
    ("response_code", "%RESPONSE_CODE%"),
    ("grpc_response_status", "%GRPC_STATUS_NUMBER%"),
    ("response_flags", "%RESPONSE_FLAGS%"),
)
_BYTES: Final = (("request_protocol", "tcp"), ("response_flags", "%RESPONSE_FLAGS%"))
_CLUSTER: Final = "Kubernetes"  # Istio's id of the cluster where there is only one
_NAMESPACE_OF_IDENTITY: Final = (
    "%CEL(connection.uri_san_peer_certificate.split('/')[4])%"  # spiffe://domain/ns/NAMESPACE/sa/...
)


def of(pool: Pool, node: ir.Metrics, kind: Kind) -> list[Fields]:
    """All labels of a metric, in Istio's order."""
    found = [_fixed("reporter", node.reporter)]
    for side in ("source", "destination"):
        found += [_part(pool, node, side, label, field) for label, field in _FIELDS]
        principal = _PRINCIPALS[node.reporter, side]
        found += [known(pool, f"{side}_principal", principal), _cluster(pool, node, side)]
    found += _service(pool, node, kind)
    found += [_traffic(pool, name, form) for name, form in (_REQUEST if kind == "requests" else _BYTES)]
    return [*found, _fixed("connection_security_policy", node.security)]


def _part(pool: Pool, node: ir.Metrics, side: str, label: str, field: str) -> Fields:
    name = f"{side}_{label}"
    if side == node.reporter:
        return _fixed(name, f"%ENVIRONMENT({ENVIRONMENT}{field.upper()})%")
    missing = "latest" if field == "revision" else "unknown"
    return known(pool, name, _of_peer(node, field), missing)


def _of_peer(node: ir.Metrics, field: str) -> str:
    if node.reporter == "source":
        return f"%UPSTREAM_METADATA({NAMESPACE}:{field})%"
    return f"%FILTER_STATE({PEER}.{field}:PLAIN)%"


def _cluster(pool: Pool, node: ir.Metrics, side: str) -> Fields:
    """Whoever is known is of the one cluster that there is."""
    if side == node.reporter:
        return _fixed(f"{side}_cluster", _CLUSTER)
    rules = _rules(pool, "exact_match_map", {"": "unknown"}, _CLUSTER)
    return {"name": f"{side}_cluster", "value_format": _of_peer(node, "workload"), "rules": rules}


def _service(pool: Pool, node: ir.Metrics, kind: Kind) -> list[Fields]:
    """The service that was meant: as the cluster says, else the host that was asked for, or the workload's own."""
    instead: list[Fields] = [{"command": "REQ", "param": ":authority"}] if node.of_host and kind == "requests" else []
    if node.reporter == "destination":
        instead = [_operator("ENVIRONMENT", ENVIRONMENT + "SERVICE")]
    owner = (
        _operator("ENVIRONMENT", ENVIRONMENT + "NAMESPACE")
        if node.reporter == "destination"
        else _operator("UPSTREAM_METADATA", f"{NAMESPACE}:namespace")
    )
    route, own = _operator("METADATA", f"ROUTE:{NAMESPACE}:name"), _operator("CLUSTER_METADATA", f"{NAMESPACE}:name")
    host = _operator("CLUSTER_METADATA", f"{NAMESPACE}:host")
    namespace = _operator("CLUSTER_METADATA", f"{NAMESPACE}:namespace")
    names = [route, own] if kind == "requests" else [own]
    return [
        known(pool, "destination_service", _first(host, *instead)),
        known(pool, "destination_service_name", _first(*names, *instead)),
        known(pool, "destination_service_namespace", _first(namespace, owner)),
    ]


def _operator(command: str, parameter: str) -> Fields:
    return {"command": command, "param": parameter}


def _first(*operators: Fields) -> str:
    """The first of the formats that gives anything."""
    return f"%COALESCE({json.dumps({'operators': operators}, separators=(',', ':'))})%"


def _traffic(pool: Pool, name: str, form: str) -> Fields:
    if form != "%REQ(content-type)%":
        return _fixed(name, form)
    words = {"application/grpc": "grpc", "application/grpc-web": "http"}
    return {"name": name, "value_format": form, "rules": _rules(pool, "prefix_match_map", words, "http")}


def _fixed(name: str, form: str) -> Fields:
    return {"name": name, "value_format": form}


def known(pool: Pool, name: str, form: str, missing: str = "unknown") -> Fields:
    """A label whose value is empty when it is not known, which has a word of its own."""
    return {"name": name, "value_format": form, "rules": _rules(pool, "exact_match_map", {"": missing})}


def _rules(pool: Pool, kind: str, words: dict[str, str], otherwise: str = "") -> Fields:
    """Other words for some values."""
    value = "envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput"
    tree = {
        "input": typed(pool, "stat_tag_value_input", value),
        kind: {"map": {text: _word(pool, word) for text, word in words.items()}},
    }
    return {"matcher_tree": tree, **({"on_no_match": _word(pool, otherwise)} if otherwise else {})}


def _word(pool: Pool, word: str) -> Fields:
    change = "envoy.extensions.matching.actions.transform_stat.v3.TransformStat"
    return {"action": typed(pool, "transform_stat", change, update_tag={"new_tag_value": word})}


def read_peer(pool: Pool) -> Fields:
    """The network filter that reads what a caller's certificate says of its workload, once for a connection.

    The words are in a name of a type of our own, which the mesh's authority has signed; so no caller can say others.
    """
    whole = f"string(filter_state['{PEER}']).split(';')"
    parts = {field: f"%CEL({whole}[{place}])%" for place, field in enumerate(peer.FIELDS)}
    states = [
        _state(pool, PEER, "%DOWNSTREAM_PEER_OTHERNAME_SAN%"),
        *(_state(pool, f"{PEER}.{field}", form) for field, form in parts.items()),
        _state(pool, f"{PEER}.namespace", _NAMESPACE_OF_IDENTITY),
    ]
    type_name = "envoy.extensions.filters.network.set_filter_state.v3.Config"
    return typed(pool, "envoy.filters.network.set_filter_state", type_name, on_downstream_tls_handshake=states)


def _state(pool: Pool, key: str, form: str) -> Fields:
    cel = {"enable_string_conversion": True, "enable_string_functions": True}
    formatter = typed(pool, "envoy.formatter.cel", "envoy.extensions.formatter.cel.v3.Cel", cel_config=cel)
    source = {"text_format_source": {"inline_string": form}, "omit_empty_values": True, "formatters": [formatter]}
    return {"object_key": key, "factory_key": "envoy.string", "format_string": source, "skip_if_empty": True}
