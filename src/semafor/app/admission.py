"""The mesh's say in writes: pods get their sidecar, rules are judged before they are stored."""

from collections.abc import Callable
from typing import Any, cast

from semafor import ir, resources
from semafor.app import exposed, inject, installing, mesh_config, proxies, proxy_config, workload_fields
from semafor.app.pipeline import RULES
from semafor.app.revisions import Offer
from semafor.base.problem import Problem
from semafor.installation import Layer, sidecar, spec
from semafor.kube.api import errors
from semafor.kube.api.options import AdmissionRequest, Admitted
from semafor.planner import envoy_filter as planned
from semafor.planner import patches
from semafor.resources import DecodeError
from semafor.resources.core import config_map, namespace, pod, service
from semafor.resources.errors import FieldError
from semafor.resources.install import istio_operator
from semafor.resources.istio import envoy_filter
from semafor.resources.istio.envoy_filter import EnvoyFilter
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_UNDECODABLE = "Invalid"
# Istio warns of it as well.
_INTERNALS = (
    "an EnvoyFilter changes what may be arranged otherwise in the next version; prefer other kinds where they do"
)


class Injection:
    """Sidecars for new pods, as their namespace and their own labels ask, with the settings that ProxyConfigs give.

    `find` reads a namespace of the store, `settings` puts together what is said of the pod's proxy by a revision,
    `offer` tells which revisions are installed.
    """

    def __init__(
        self,
        find: Callable[[str], Doc | None],
        settings: Callable[[Doc, str], proxy_config.Settings],
        offer: Callable[[], Offer],
    ) -> None:
        self._find = find
        self._settings = settings
        self._offer = offer

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        if new is not None and request.kind is namespace.KIND:
            return Admitted(new, inject.meaningless(new))
        if new is None or request.kind is not pod.KIND or request.operation != "CREATE":
            return Admitted(new or {})
        warnings = tuple(str(problem) for problem in (*inject.problems(new), *proxy_config.problems(new)))
        home = self._find(request.namespace) or {"metadata": {}}
        offer = self._offer()
        found = inject.verdict(new, home["metadata"].get("labels") or {}, offer)
        settings = self._settings(new, found.revision)
        if found.wanted:
            defaults = sidecar.defaults(offer.values[found.revision])
            made = inject.inject(new, settings, revision=found.revision, defaults=defaults)
        else:
            made = inject.with_settings(new, settings)
        return Admitted(made, (*warnings, *(str(problem) for problem in proxies.problems(made))))


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
        if request.kind is service.KIND:
            return Admitted(new, tuple(_worded(problem) for problem in exposed.problems(new)))
        if found := tuple(_worded(problem) for problem in workload_fields.problems(request.kind, new)):
            return Admitted(new, found)
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


class Patches:
    """EnvoyFilters whose patches are no configuration of Envoy's are refused; the others pass, with a warning."""

    def __init__(self, judge: Callable[[ir.Patch], tuple[Problem, ...]]) -> None:
        self._judge = judge

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        if new is None or request.kind is not envoy_filter.KIND:
            return Admitted(new or {})
        found = [problem for patch in _patches(new) for problem in self._judge(patch)]
        if wrong := [problem for problem in found if problem.reason == _UNDECODABLE]:
            causes = [
                FieldError(problem.path, "FieldValueInvalid", f"Invalid value: {problem.message}") for problem in wrong
            ]
            raise errors.invalid(request.kind, request.name, causes)
        return Admitted(new, (_INTERNALS, *(_worded(problem) for problem in found)))


class Installations:
    """IstioOperators of which no installation can be made are refused; what has no effect is told as a warning."""

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        if new is None or request.kind is not istio_operator.KIND:
            return Admitted(new or {})
        if not isinstance(written := new.get("spec") or {}, dict):
            return Admitted(new)  # the schema check names it
        _, found = installing.resolve([Layer(spec.ref(request.name, request.namespace), written)])
        if wrong := [problem for problem in found if problem.severity == "error"]:
            causes = [FieldError(each.path, "FieldValueInvalid", f"Invalid value: {_said(each)}") for each in wrong]
            raise errors.invalid(request.kind, request.name, causes)
        return Admitted(new, tuple(_worded(problem) for problem in found))


def _said(problem: Problem) -> str:
    return f"{problem.message} ({problem.fix})" if problem.fix else problem.message


def _patches(new: Doc) -> tuple[ir.Patch, ...]:
    try:
        document = cast("EnvoyFilter", resources.decode(envoy_filter.KIND, new))
    except DecodeError:
        return ()  # the schema check names it better
    return patches.written(planned.read(document.metadata, document.spec))


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
