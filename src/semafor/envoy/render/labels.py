"""Where the labels of Istio's metrics come from: one packed label with Envoy's formats in it, for each side.

label of         reporter source                      reporter destination
its own side     the proxy's environment              the proxy's environment
the other side   metadata of the chosen endpoint      the caller's certificate, read once for a connection
the service      metadata of the cluster              metadata of the cluster

Envoy makes each label of each metric anew for each request; Istio's 25 cost a third of what the whole proxy does. So
all but what a user changes are packed into one, and ../labels.lua, in the proxy's own listeners, writes them out for
whoever reads. It knows what stands where nothing is known, and what the proxy is itself.

Source: Istio's reference "Istio Standard Metrics", and its filter istio_stats for what is said where nothing is known.
"""

import json
from typing import Final, Literal

from semafor import ir
from semafor.base import peer
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, string_map, typed

NAMESPACE: Final = "semafor"  # of metadata of endpoints, clusters and routes
_PACKED: Final = "packed"
_PEER: Final = "semafor.peer"  # filter state: what a caller's certificate says
_END: Final = "\x1f"  # after each field: in no header, so no caller can add a field
_WITHIN: Final = "\x1e"  # between the parts of a service
Kind = Literal["http", "grpc", "tcp"]

_SIDE: Final = {
    "source": (
        ("source_principal", "%UPSTREAM_LOCAL_URI_SAN%"),
        ("destination_principal", "%UPSTREAM_PEER_URI_SAN%"),
        ("peer", f"%UPSTREAM_METADATA({NAMESPACE}:peer)%"),
    ),
    "destination": (
        ("source_principal", "%DOWNSTREAM_PEER_URI_SAN%"),
        ("destination_principal", "%DOWNSTREAM_LOCAL_URI_SAN%"),
        ("peer", f"%FILTER_STATE({_PEER}:PLAIN)%"),
    ),
}
_OTHER_NAME: Final = "%DOWNSTREAM_PEER_OTHERNAME_SAN%"
_OF_REQUESTS: Final = (("response_code", "%RESPONSE_CODE%"), ("grpc_response_status", "%GRPC_STATUS_NUMBER%"))
_SERVICE: Final = ("CLUSTER_METADATA", f"{NAMESPACE}:service")
_HOST: Final = ("REQ", ":authority")


def of(pool: Pool, node: ir.Metrics, kind: Kind, tags: tuple[ir.Tag, ...]) -> list[Fields]:
    """All labels of a metric; `tags` are those that are changed."""
    fields = [("reporter", node.reporter), *_SIDE[node.reporter], *_service(node, kind)]
    fields += [("request_protocol", kind), *(_OF_REQUESTS if kind != "tcp" else ())]
    fields += [("response_flags", "%RESPONSE_FLAGS%"), ("connection_security_policy", node.security)]
    fields += [("without", tag.name) for tag in tags if tag.name.isidentifier()]  # as all are that stand there
    packed = "".join(f"{name}={form}{_END}" for name, form in fields)
    return [
        {"name": _PACKED, "value_format": packed},
        *(_changed(pool, tag) for tag in tags if tag.expression),
    ]


def _service(node: ir.Metrics, kind: Kind) -> list[tuple[str, str]]:
    """The service that was meant: as the cluster says, else the host that was asked for.

    Of the called's own service the proxy's environment speaks.
    """
    by_host = node.of_host and kind != "tcp" and node.reporter == "source"
    fields = [("service", _first(_SERVICE, _HOST) if by_host else _only(*_SERVICE))]
    fields.append(("name", f"%CLUSTER_METADATA({NAMESPACE}:name)%"))
    if kind != "tcp":
        fields.append(("route", f"%METADATA(ROUTE:{NAMESPACE}:name)%"))
    return fields


def _only(command: str, parameter: str) -> str:
    return f"%{command}({parameter})%"


def _first(*operators: tuple[str, str]) -> str:
    """The first of the formats that gives anything."""
    listed = {"operators": [{"command": command, "param": parameter} for command, parameter in operators]}
    return f"%COALESCE({json.dumps(listed, separators=(',', ':'))})%"


def _changed(pool: Pool, tag: ir.Tag) -> Fields:
    """A label of its own, which has a word for a value that is not known."""
    value = "envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput"
    change = "envoy.extensions.matching.actions.transform_stat.v3.TransformStat"
    unknown = {"action": typed(pool, "transform_stat", change, update_tag={"new_tag_value": "unknown"})}
    tree = {"input": typed(pool, "stat_tag_value_input", value), "exact_match_map": {"map": {"": unknown}}}
    return {"name": tag.name, "value_format": f"%CEL({tag.expression})%", "rules": {"matcher_tree": tree}}


def said_of_service(node: ir.Named) -> Fields:
    """Metadata of a cluster. Only what has no host is called by its name alone."""
    if not node.host:
        return string_map({"name": node.name})
    return string_map({"service": _WITHIN.join((node.name, node.host, node.namespace))})


def said_of_route(name: str) -> Fields:
    """Metadata of a route that knows the service better than its cluster does."""
    return string_map({"name": name})


def said_of_peer(node: peer.Peer) -> Fields:
    """Metadata of an endpoint."""
    return string_map({"peer": f"{peer.text(node)};{node.namespace}"})


def read_peer(pool: Pool) -> Fields:
    """The network filter that reads what a caller's certificate says of its workload, once for a connection.

    The words are in a name of a type of our own, which the mesh's authority has signed; so no caller can say others.
    """
    state = {
        "object_key": _PEER,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": _OTHER_NAME}, "omit_empty_values": True},
        "skip_if_empty": True,
    }
    type_name = "envoy.extensions.filters.network.set_filter_state.v3.Config"
    return typed(pool, "envoy.filters.network.set_filter_state", type_name, on_downstream_tls_handshake=[state])
