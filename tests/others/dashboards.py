"""Asks every query of Istio's dashboards for Grafana, as it would, and says which have no answer.

The dashboards are read out of Istio's published Go module; nothing of them is kept here.
"""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULE = "istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad"
# What Grafana puts in place of its variables: everything there is.
RANGES = {"__rate_interval": "1m", "__interval": "1m", "__range": "5m"}
GROUPS = {"qrep": "destination", "reporter": "destination", "adhoc_filters": "", "datasource": ""}
# Of ambient proxies, WebAssembly, Envoys' and Go's own memory, of which there is none here, or nothing is told.
FOREIGN = re.compile(r"ztunnel|wasm|^.*\bgo_|container_|citadel_|galley_|sidecar_injection|k8s_cfg|webhook")


@dataclass
class Asked:
    """A query of a panel, and how many series it had; -1 when it was refused."""

    dashboard: str
    panel: str
    query: str
    series: int
    why: str = ""


def files() -> Iterator[Path]:
    done = subprocess.run(["go", "mod", "download", "-json", MODULE], capture_output=True, text=True, check=True)
    yield from sorted((Path(json.loads(done.stdout)["Dir"]) / "manifests/addons/dashboards").glob("*.json"))


def queries(document: Any, panel: str = "") -> Iterator[tuple[str, str]]:
    """Every query, and the panel that it is of."""
    if isinstance(document, list):
        for each in document:
            yield from queries(each, panel)
    elif isinstance(document, dict):
        panel = document.get("title") or panel
        if isinstance(document.get("expr"), str):
            yield panel, document["expr"]
        for key, each in document.items():
            yield from queries(each, panel) if key != "templating" else ()


def filled(query: str) -> str:
    """The query as Grafana sends it."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return RANGES.get(name, GROUPS.get(name, ".+" if "ns" not in name else ".*"))

    text = re.sub(r"\$\{?(\w+)(?::\w+)?\}?|\[\[(\w+)\]\]", value, query)
    return re.sub(r"([^=!~<>])=(\"\.[+*]\")", r"\1=~\2", text)


def ask(address: str, query: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{address}/api/v1/query?query={urllib.parse.quote(query)}", timeout=60) as answer:
            return len(json.load(answer)["data"]["result"]), ""
    except urllib.error.HTTPError as error:
        return -1, error.read().decode()[:200]


def all_of(address: str) -> Iterator[Asked]:
    for path in files():
        for panel, query in queries(json.loads(path.read_text(encoding="utf-8"))):
            wanted = filled(query)
            yield Asked(path.stem, panel, wanted, *ask(address, wanted))
