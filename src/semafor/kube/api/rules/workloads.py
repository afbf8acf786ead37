"""Deployment, ReplicaSet, StatefulSet, DaemonSet, Job: the selector is for life."""

from collections.abc import Iterator
from typing import Any

from semafor.kube.api.rules.rules import Rules, at
from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]


def _check(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    if old is not None and at(new, "spec.selector") != at(old, "spec.selector"):
        yield errors.invalid("spec.selector", at(new, "spec.selector"), "field is immutable")


RULES = Rules(check=_check)
