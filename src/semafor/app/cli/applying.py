"""What an apply would make of objects: as kubectl merges them, with what there is. Nothing is changed."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from semafor.app.analysis import analyzing, reading
from semafor.app.analysis.reading import Source
from semafor.app.cli import sources
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.resources import registry
from semafor.resources.kind import Kind

Doc = dict[str, Any]
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUSTOMIZE_TIMEOUT_S = 120


def given(files: tuple[str, ...], folder: str, *, recursive: bool) -> list[Source]:
    """The objects of files, folders and standard input, and of a kustomization. Raises Failure."""
    found = list(sources.read(files, recursive=recursive)) if files else []
    return [*found, *(_kustomized(folder) if folder else ())]


def _kustomized(folder: str) -> Iterator[Source]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise Failure("kubectl is not installed, and it is what reads kustomizations", "give the files with -f")
    argv = (kubectl, "kustomize", str(Path(folder)))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_KUSTOMIZE_TIMEOUT_S, check=False)
    if done.returncode:
        raise Failure(f"{folder} cannot be built: {done.stderr.strip()}")
    return reading.documents(done.stdout, folder)


def checked(found: Iterable[Source], namespace: str) -> list[Doc]:
    """The documents with their namespaces. Raises Failure for the first that no API would take."""
    documents = []
    for source in found:
        for told in analyzing.validate(source):
            if told.level == "Error":
                raise Failure(str(told))
        documents.append(analyzing.placed(source, namespace).document)
    return documents


def live(api: Api, document: Doc) -> Doc | None:
    """The object as it is; None where there is none, or nobody knows the kind."""
    kind = kind_of(document)
    metadata = document["metadata"]
    return api.get(kind, metadata["name"], metadata.get("namespace", "default")) if kind else None


def kind_of(document: Doc) -> Kind | None:
    return registry.by_kind(str(document["apiVersion"]).rpartition("/")[0], str(document["kind"]))


def merged(api: Api, document: Doc, now: Doc | None) -> Doc:
    """What `kubectl apply` would make of it, as the API itself says: it writes nothing. Raises Failure.

    What is in a namespace that the same files make is taken as it is written.
    """
    kind = kind_of(document)
    if kind is None:
        return document
    if now is None:
        return api.tried(kind, document)
    try:
        before = json.loads((now["metadata"].get("annotations") or {}).get(_APPLIED) or "{}")
    except ValueError:
        before = {}
    patch = {key: value for key, value in _patch(before, document).items() if key not in ("apiVersion", "kind")}
    return api.tried_patch(kind, now, patch, strategic=_is_built_in(kind))


def _patch(before: Any, wanted: Doc) -> Doc:
    """What is written, with null for what was written before and is no more."""
    old = before if isinstance(before, dict) else {}
    gone = dict.fromkeys(key for key, value in old.items() if key not in wanted and value != {})
    kept = {key: _patch(old.get(key), value) if isinstance(value, dict) else value for key, value in wanted.items()}
    return {**gone, **kept}


def _is_built_in(kind: Kind) -> bool:
    """Whether lists of the kind are merged by keys, as Kubernetes does with its own kinds alone."""
    return "." not in kind.group or (kind.group.endswith(".k8s.io") and not kind.group.startswith("gateway."))


def essence(document: Doc | None) -> Doc | None:
    """What a user has said: without the status and the API's own bookkeeping."""
    if document is None:
        return None
    metadata = document.get("metadata") or {}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _APPLIED}
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if metadata.get(key)}
    kept |= {"annotations": annotations} if annotations else {}
    rest = {key: value for key, value in document.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": kept}
