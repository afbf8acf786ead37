"""The folder that applications are shown so that traces go on through them, and the variables that name it.

Differs from Istio: there every application has to copy the headers of traces itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import semafor.propagation
from semafor.kube.node.spec import Mount

TARGET: Final = "/var/run/semafor/propagation"
_PYTHON: Final = f"{TARGET}/python"
_NODE: Final = f"--require={TARGET}/node/propagation.cjs"
# By which OpenTelemetry's operator is asked for its own; "false" is the word that counts here.
_REFUSED: Final = "instrumentation.opentelemetry.io/inject-"


def mounts(pod: Mapping[str, Any]) -> tuple[Mount, ...]:
    """The folder, for the applications of a pod that it is meant for."""
    if not (_wanted(pod, "python") or _wanted(pod, "nodejs")):
        return ()
    return (Mount(source=str(Path(semafor.propagation.__file__).parent), target=TARGET, read_only=True),)


def environment(pod: Mapping[str, Any], known: Mapping[str, str]) -> Mapping[str, str]:
    """What the applications of a pod have to be started with, beside the variables that are known.

    PYTHONPATH has the folder first, because Python reads one sitecustomize alone; it runs the next itself.
    """
    added = {}
    if _wanted(pod, "python"):
        added["PYTHONPATH"] = ":".join(filter(None, (_PYTHON, known.get("PYTHONPATH", ""))))
    if _wanted(pod, "nodejs"):
        added["NODE_OPTIONS"] = " ".join(filter(None, (_NODE, known.get("NODE_OPTIONS", ""))))
    return added


def _wanted(pod: Mapping[str, Any], language: str) -> bool:
    """Whether the pod's applications are shown the folder: those beside a sidecar, unless the pod refuses."""
    annotations = pod["metadata"].get("annotations") or {}
    refused = annotations.get(_REFUSED + language, "").lower() == "false"
    return "sidecar.istio.io/status" in annotations and not refused
