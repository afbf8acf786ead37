"""What an installation is on this machine: its mesh configuration looked at as well, and its state in words. Pure."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from semafor import installation
from semafor.app import mesh_config
from semafor.base.problem import ObjectRef, Problem
from semafor.installation import Installation, Layer, Part, documented, spec

Doc = dict[str, Any]

HEALTHY, RECONCILING, ERROR = "HEALTHY", "RECONCILING", "ERROR"  # as Istio's operator has them
_LEVELS = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}
# Of the mesh configuration, what all revisions share: the daemon is one.
_OF_ALL = ("trustDomain", "trustDomainAliases", "rootNamespace")


def operator(of: Doc, revision: str = "") -> Doc:
    """The IstioOperator that commands write."""
    metadata = {"name": spec.owner(revision), "namespace": spec.NAMESPACE}
    return {"apiVersion": f"{spec.GROUP}/v1alpha1", "kind": "IstioOperator", "metadata": metadata, "spec": of}


def resolve(layers: Sequence[Layer], *, home: spec.Home = "machine") -> tuple[Installation, tuple[Problem, ...]]:
    """The same as `installation.resolve`, with what is wrong with the mesh configurations."""
    wanted, problems = installation.resolve(layers, home=home)
    return wanted, (*problems, *(problem for layer in layers for problem in _of_mesh_config(layer, wanted.revision)))


def _of_mesh_config(layer: Layer, revision: str) -> Iterable[Problem]:
    for path, written in (
        ("spec.meshConfig", layer.spec.get("meshConfig")),
        ("spec.values.meshConfig", _in_values(layer)),
    ):
        if written is None:
            continue
        try:
            _, found = mesh_config.read(_without_guides(written))
        except mesh_config.Unusable as error:
            yield Problem(ref=layer.ref, path=path, reason="InvalidValue", message=str(error), severity="error")
            continue
        for problem in found:
            yield _moved(problem, layer.ref, path)
        for key in _OF_ALL if revision and isinstance(written, dict) else ():
            if key in written:
                message = "has no effect in a revision: it is one for the whole mesh"
                yield Problem(
                    ref=layer.ref, path=f"{path}.{key}", reason="NotSupported", message=message, fix="remove it"
                )


def _in_values(layer: Layer) -> Any:
    values = layer.spec.get("values")
    return values.get("meshConfig") if isinstance(values, dict) else None


def _without_guides(written: Any) -> Any:
    """Without the resources of proxies, which are no part of it, and are told of elsewhere."""
    if not isinstance(written, dict) or not isinstance(written.get("defaultConfig"), dict):
        return written
    rest = {key: value for key, value in written["defaultConfig"].items() if key != "resources"}
    return {key: value for key, value in written.items() if key != "defaultConfig"} | (
        {"defaultConfig": rest} if rest else {}
    )


def _moved(problem: Problem, ref: ObjectRef, path: str) -> Problem:
    """A problem of the ConfigMap, in the object that it will come from."""
    severity: Literal["error", "warning"] = "error" if problem.reason == "InvalidValue" else "warning"
    key = problem.path.removeprefix("data.mesh ")
    where = f"{path}.{key}"
    if problem.reason == "UnsupportedKey" and not documented.is_known(key):
        near = difflib.get_close_matches(key.rpartition(".")[2], documented.near(), n=1)
        fix = f"did you mean {near[0]}?" if near else "remove it"
        return Problem(
            ref=ref, path=where, reason="UnknownField", message="has no effect: Istio has no such key", fix=fix
        )
    return Problem(
        ref=ref, path=where, reason=problem.reason, message=problem.message, fix=problem.fix, severity=severity
    )


# --- its state --------------------------------------------------------------------------------------------------------


def states(parts: Iterable[Part], find: Callable[[Doc], Doc | None]) -> dict[str, str]:
    """The state of each component. `find` reads a Deployment by its metadata."""
    found: dict[str, str] = {}
    for part in parts:
        if not part.documents:
            continue
        wanted = [each for each in part.documents if each["kind"] == "Deployment"]
        ready = all(_is_ready(find(each["metadata"])) for each in wanted)
        before = found.get(part.word, HEALTHY)
        found[part.word] = HEALTHY if ready and before == HEALTHY else RECONCILING
    return found


def _is_ready(deployment: Doc | None) -> bool:
    if deployment is None:
        return False
    state, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    if state.get("observedGeneration", 0) < deployment["metadata"].get("generation", 1):
        return False
    return bool(state.get("updatedReplicas", 0) >= wanted and state.get("readyReplicas", 0) >= wanted)


def status(generation: int, own: Sequence[Problem], every: Sequence[Problem], components: dict[str, str]) -> Doc:
    """The status of an IstioOperator. `own` are its own problems, `every` those of the whole installation."""
    errors = [problem for problem in every if problem.severity == "error"]
    word = ERROR if errors else RECONCILING if RECONCILING in components.values() else HEALTHY
    made: Doc = {"status": word, "observedGeneration": generation}
    if components and not errors:
        made["componentStatus"] = {name: {"status": state} for name, state in components.items()}
    if errors:
        made["message"] = f"{errors[0]}; the last good installation stays"
    if own:
        made["validationMessages"] = [_message(problem) for problem in own]
    return made


def _message(problem: Problem) -> Doc:
    message = {"type": {"name": problem.reason}, "level": _LEVELS[problem.severity]}
    text = f"{problem.path}: {problem.message}"
    return message | {"message": text} | ({"fix": problem.fix} if problem.fix else {})
