"""Metrics of a pod's application and of its proxy, at one port: who asks for it, and what Prometheus is told. Pure.

An application says by annotations where its own metrics are. Prometheus reads only one port of a pod by annotations, so
injection points them at the proxy's, which tells both; what they said before goes into a variable of the proxy's
container. Source: Istio's page "Prometheus", and its function applyPrometheusMerge.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from semafor.base.struct import Value
from semafor.envoy.bootstrap import MERGED_PORT, STATS_PORT
from semafor.envoy.statistics import Application

Pod = dict[str, Any]

VARIABLE: Final = "ISTIO_PROMETHEUS_ANNOTATIONS"
_MERGE: Final = "prometheus.istio.io/merge-metrics"
_PREFIX: Final = "prometheus.io/"
_KEYS: Final = ("scrape", "port", "path", "scheme")
_PATH: Final = "/stats/prometheus"
_TRUE: Final = frozenset({"true", "1", "t", "T", "TRUE", "True"})  # what Go takes for true
_FALSE: Final = frozenset({"false", "0", "f", "F", "FALSE", "False"})


class Asked(Value):
    """Where an application wants to be read."""

    port: int
    path: str
    https: bool = False


def take_over(annotations: Mapping[str, str], container: Pod, *, merge: bool) -> dict[str, str]:
    """The annotations of a pod that gets a sidecar. What they said before is written into the sidecar's `container`.

    `merge` is what the mesh configuration says; the pod's own annotation goes before it.
    """
    own = {key: annotations[_PREFIX + key] for key in _KEYS if _PREFIX + key in annotations}
    wanted = annotations.get(_MERGE, "")
    merge = wanted in _TRUE if wanted in _TRUE | _FALSE else merge
    if not merge or own.get("scrape") in _FALSE or own.get("port") == str(MERGED_PORT):
        return dict(annotations)
    if own:
        container["env"] = [*(container.get("env") or ()), {"name": VARIABLE, "value": json.dumps(own)}]
    others = {key: value for key, value in annotations.items() if key.removeprefix(_PREFIX) not in _KEYS}
    ours = {"port": str(MERGED_PORT), "path": _PATH, "scrape": "true"}
    return {**others, **{_PREFIX + key: value for key, value in ours.items()}}


def asked(pod: Pod) -> Asked | None:
    """Where the pod's application wants to be read; None when it does not want it, or says what is none."""
    said = _said(pod)
    if said.get("scrape") not in _TRUE:
        return None
    port, path = _port(said.get("port", ""), pod), said.get("path") or "/metrics"
    if not 0 < port < 65536 or port in (STATS_PORT, MERGED_PORT):  # these are the proxy's
        return None
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
        return None
    return Asked(port=port, path=path, https=said.get("scheme") == "https")


def application(pod: Pod) -> Application | None:
    """What the proxy asks to tell it at its own port; None when injection has not taken it over."""
    wanted = asked(pod) if _taken_over(pod) else None
    return Application(port=wanted.port, path=wanted.path) if wanted and not wanted.https else None


def _said(pod: Pod) -> Mapping[str, str]:
    taken = _taken_over(pod)
    if taken:
        try:
            found = json.loads(taken)
        except ValueError:
            return {}
        return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}
    annotations = pod["metadata"].get("annotations") or {}
    return {key: annotations[_PREFIX + key] for key in _KEYS if _PREFIX + key in annotations}


def _taken_over(pod: Pod) -> str:
    containers = (*(pod["spec"].get("initContainers") or ()), *(pod["spec"].get("containers") or ()))
    variables = (one for each in containers if each["name"] == "istio-proxy" for one in each.get("env") or ())
    return next((str(one.get("value", "")) for one in variables if one["name"] == VARIABLE), "")


def _port(text: str, pod: Pod) -> int:
    if text:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    ports = [
        port for each in pod["spec"]["containers"] if each["name"] != "istio-proxy" for port in each.get("ports") or ()
    ]
    return int(ports[0]["containerPort"]) if ports else 80
