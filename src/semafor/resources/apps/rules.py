"""Kubernetes' rules for workloads that types alone cannot say. Source: Kubernetes' apps validation."""

import re
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, selector
from semafor.resources.core import pod_rules
from semafor.resources.defaulting import inside
from semafor.resources.errors import FieldError

Doc = dict[str, Any]
_PERCENT = re.compile(r"\d+%")


def replica_set(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a ReplicaSet."""
    yield from _workload(doc, "replicaset")


def stateful_set(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a StatefulSet."""
    yield from _workload(inside(doc, "spec", _with_claims), "statefulset")


def _with_claims(spec: Doc) -> Doc:
    """The set as its pods will be: each claim template is a volume that containers can mount."""
    names = [each.get("metadata", {}).get("name", "") for each in spec.get("volumeClaimTemplates", ())]
    claims = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]

    def mounted(pod: Doc) -> Doc:
        own = [each for each in pod.get("volumes", ()) if each.get("name") not in names]
        return {**pod, "volumes": [*own, *claims]} if claims else pod

    return inside(spec, "template", lambda template: inside(template, "spec", mounted))


def daemon_set(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a DaemonSet."""
    yield from _workload(doc, "daemonset")
    strategy = doc.get("spec", {}).get("updateStrategy", {})
    if strategy.get("type", "RollingUpdate") == "RollingUpdate":
        yield from _steps(strategy.get("rollingUpdate", {}), "spec.updateStrategy.rollingUpdate", (1, 0))


def deployment(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Deployment."""
    yield from _workload(doc, "deployment")
    spec = doc.get("spec", {})
    strategy = spec.get("strategy", {})
    if strategy.get("type") == "Recreate":
        if "rollingUpdate" in strategy:
            why = "may not be specified when strategy `type` is 'Recreate'"
            yield errors.forbidden("spec.strategy.rollingUpdate", why)
    else:
        yield from _steps(strategy.get("rollingUpdate", {}), "spec.strategy.rollingUpdate", ("25%", "25%"))
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        value = spec.get("progressDeadlineSeconds", 600)
        yield errors.invalid("spec.progressDeadlineSeconds", value, "must be greater than minReadySeconds")


def _workload(doc: Doc, word: str) -> Iterator[FieldError]:
    spec = doc.get("spec", {})
    chosen, template = spec.get("selector"), spec.get("template", {})
    if "selector" not in spec:
        yield errors.required("spec.selector")
    if "template" not in spec:
        yield errors.required("spec.template")
    yield from pod_rules.lasting_template(template, "spec.template")
    if chosen is None:
        return
    yield from selector.validate(chosen, "spec.selector")
    if selector.is_empty(chosen):
        yield errors.invalid("spec.selector", chosen, f"empty selector is invalid for {word}")
        return
    labels = template.get("metadata", {}).get("labels", {})
    if not selector.matches(chosen, labels):
        yield errors.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _steps(doc: Doc, path: str, defaults: tuple[Any, Any]) -> Iterator[FieldError]:
    missing, surplus = doc.get("maxUnavailable", defaults[0]), doc.get("maxSurge", defaults[1])
    yield from count_or_percent(missing, f"{path}.maxUnavailable")
    yield from count_or_percent(surplus, f"{path}.maxSurge")
    if missing in (0, "0%") and surplus in (0, "0%"):
        yield errors.invalid(f"{path}.maxUnavailable", missing, "may not be 0 when `maxSurge` is 0")
    if isinstance(missing, str) and _PERCENT.fullmatch(missing) and int(missing[:-1]) > 100:
        yield errors.invalid(f"{path}.maxUnavailable", missing, "must not be greater than 100%")


def count_or_percent(value: Any, path: str) -> Iterator[FieldError]:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield errors.invalid(
                path, value, "a valid percent string must be a numeric string followed by an ending '%'"
            )
    elif value < 0:
        yield errors.invalid(path, value, "must be greater than or equal to 0")
