"""The mesh's say in writes: pods get their sidecar, rules are judged before they are stored."""

from collections.abc import Callable
from typing import Any

from semafor.app import inject, mesh_config
from semafor.app.pipeline import RULES
from semafor.base.problem import Problem
from semafor.kube.api.options import AdmissionRequest, Admitted
from semafor.resources import DecodeError
from semafor.resources.core import config_map, pod
from semafor.resources.kind import Kind

Doc = dict[str, Any]


class Injection:
    """Sidecars for new pods, as their namespace and their own labels ask. `find` reads a namespace of the store."""

    def __init__(self, find: Callable[[str], Doc | None]) -> None:
        self._find = find

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        if new is None or request.kind is not pod.KIND or request.operation != "CREATE":
            return Admitted(new or {})
        warnings = tuple(str(problem) for problem in inject.problems(new))
        home = self._find(request.namespace) or {"metadata": {}}
        if inject.wanted(new, home["metadata"].get("labels") or {}):
            return Admitted(inject.inject(new), warnings)
        return Admitted(new, warnings)


class Judgement:
    """What is wrong with a rule, said at once as a warning. Refusing is the work of the schema check before this."""

    def __init__(self, judge: Callable[[Kind, Doc], tuple[Problem, ...]]) -> None:
        self._judge = judge

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        if new is None:
            return Admitted({})
        if request.kind in RULES:
            return Admitted(new, tuple(_worded(problem) for problem in self._problems(request, new)))
        if request.kind is config_map.KIND and (request.namespace, request.name) == (
            mesh_config.NAMESPACE,
            mesh_config.NAME,
        ):
            return Admitted(new, _judge_options(new))
        return Admitted(new)

    def _problems(self, request: AdmissionRequest, new: Doc) -> tuple[Problem, ...]:
        try:
            return self._judge(request.kind, new)
        except DecodeError:
            return ()  # the schema check names it better


def _judge_options(obj: Doc) -> tuple[str, ...]:
    try:
        _, problems = mesh_config.of(obj)
    except mesh_config.Unusable as error:
        return (f"the mesh configuration stays as it was: {error}",)
    return tuple(_worded(problem) for problem in problems)


def _worded(problem: Problem) -> str:
    """A problem of the object that kubectl is about to name: the field, what is wrong, how to mend it."""
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"{text} ({problem.fix})" if problem.fix else text
