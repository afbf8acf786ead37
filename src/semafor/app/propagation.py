"""The folder that applications are shown so that traces go on through them, and the variable that names it.

Differs from Istio: there every application has to copy the headers of traces itself.
"""

import compileall
import importlib.metadata
import importlib.resources
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import semafor
from semafor.kube.node.spec import Mount

TARGET: Final = "/var/run/semafor/python"
ASKED: Final = "instrumentation.opentelemetry.io/inject-python"  # as OpenTelemetry's operator calls it

_FILES: Final = ("sitecustomize.py", "semafor_propagation.py")
# What the files import: OpenTelemetry's API and its packages for libraries, and what these need.
_DISTRIBUTIONS: Final = (
    "asgiref",
    "opentelemetry-api",
    "opentelemetry-instrumentation",
    "opentelemetry-instrumentation-aiohttp-client",
    "opentelemetry-instrumentation-asgi",
    "opentelemetry-instrumentation-grpc",
    "opentelemetry-instrumentation-httpx",
    "opentelemetry-instrumentation-threading",
    "opentelemetry-instrumentation-urllib",
    "opentelemetry-instrumentation-urllib3",
    "opentelemetry-instrumentation-wsgi",
    "opentelemetry-semantic-conventions",
    "opentelemetry-util-http",
    "packaging",
    "typing_extensions",
    "wrapt",
)


class Propagation:
    """Made in `cache` when it is first asked for, once for all pods; `ensure` may be called from any thread."""

    def __init__(self, cache: Path) -> None:
        versions = "-".join(importlib.metadata.version(each) for each in ("opentelemetry-api", "wrapt"))
        self.folder = cache / f"propagation-{semafor.__version__}-{versions}"
        self._lock = threading.Lock()

    def ensure(self) -> None:
        """Put the files and the packages into the folder, unless they are there. Raises OSError."""
        with self._lock:
            if self.folder.exists():
                return
            partial = self.folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(mode=0o755)
            sources = importlib.resources.files("semafor.propagation")
            for name in _FILES:
                (partial / name).write_bytes((sources / name).read_bytes())
            for name in _DISTRIBUTIONS:
                _copy(name, partial / "packages")
            compileall.compile_dir(partial, quiet=2)  # the mount is read-only, so that no program could do it
            partial.rename(self.folder)

    def mount(self, pod: Mapping[str, Any]) -> tuple[Mount, ...]:
        """The folder, for the applications of a pod that it is meant for."""
        if not wanted(pod):
            return ()
        self.ensure()
        return (Mount(source=str(self.folder), target=TARGET, read_only=True),)


def wanted(pod: Mapping[str, Any]) -> bool:
    """Whether the pod's applications are shown the folder: those beside a sidecar, when the pod asks for it."""
    annotations = pod["metadata"].get("annotations") or {}
    return "sidecar.istio.io/status" in annotations and annotations.get(ASKED, "").lower() == "true"


def environment(known: Mapping[str, str]) -> Mapping[str, str]:
    """PYTHONPATH with the folder first, because Python reads one sitecustomize alone; it runs the next itself."""
    own = known.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{TARGET}:{own}" if own else TARGET}


def _copy(distribution: str, folder: Path) -> None:
    """The files of an installed distribution, and what it tells of itself; linked where the file system can."""
    found = importlib.metadata.distribution(distribution)
    for file in found.files or ():
        if ".." in file.parts:
            continue
        target = folder.joinpath(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(Path(str(found.locate_file(file))), target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)  # with its time, by which bytecode knows its source
