"""PrometheusRule: alerts and recorded series. Source: the Prometheus operator's API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC, IntOrString, Labels, listing
from semafor.resources.meta.meta import ObjectMeta
from semafor.resources.monitoring.status import ConfigResourceStatus


class AlertingRule(Document):
    """A rule that records a series or raises an alert."""

    expr: Annotated[IntOrString, "The query, in PromQL."]
    record: Annotated[str, "Name of the series that is recorded."] = ""
    alert: Annotated[str, "Name of the alert."] = ""
    for_: Annotated[str | None, "How long the query must give results before the alert fires."] = msgspec.field(
        name="for", default=None
    )
    keep_firing_for: Annotated[str | None, "How long the alert goes on after the query gives no more results."] = (
        msgspec.field(name="keep_firing_for", default=None)
    )
    labels: Annotated[Labels, "Labels added to the result."] = {}
    annotations: Annotated[Labels, "Texts of the alert; they may hold templates."] = {}


class RuleGroup(Document):
    """Rules that are evaluated together, one after another."""

    name: Annotated[str, "Name of the group."]
    labels: Annotated[Labels, "Labels added to the results."] = {}
    interval: Annotated[str | None, "Time between evaluations."] = None
    query_offset: Annotated[str | None, "How far back the queries look."] = msgspec.field(
        name="query_offset", default=None
    )
    rules: Annotated[tuple[AlertingRule, ...], ATOMIC, "The rules."] = ()
    partial_response_strategy: Annotated[str, "What Thanos does when a part of the data is missing."] = msgspec.field(
        name="partial_response_strategy", default=""
    )
    limit: Annotated[int | None, "Most alerts and series that a rule may make."] = None


class PrometheusRuleSpec(Document):
    """Rules that Prometheus evaluates."""

    groups: Annotated[tuple[RuleGroup, ...], listing("name"), "The rules, in groups."] = ()


class PrometheusRule(Document):
    """Alerts, and series that are recorded."""

    spec: Annotated[PrometheusRuleSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "monitoring.coreos.com/v1"
    kind: Annotated[str, "Kind of the object."] = "PrometheusRule"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[ConfigResourceStatus, "What is."] = ConfigResourceStatus()


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Groups have different names, and each rule records a series or raises an alert."""
    names: set[str] = set()
    for index, group in enumerate(doc.get("spec", {}).get("groups", ())):
        path, name = f"spec.groups[{index}]", group.get("name", "")
        if name in names:
            yield errors.duplicate(f"{path}.name", name)
        names.add(name)
        for place, rule in enumerate(group.get("rules", ())):
            where = f"{path}.rules[{place}]"
            if bool(rule.get("record")) == bool(rule.get("alert")):
                yield errors.required(where, "exactly one of record and alert must be set")
            if rule.get("record") and rule.get("for"):
                yield errors.forbidden(f"{where}.for", "may only be set for alerts")


KIND = Kind(
    group="monitoring.coreos.com",
    versions=("v1",),
    kind="PrometheusRule",
    plural="prometheusrules",
    short=("promrule",),
    categories=("prometheus-operator",),
    document=PrometheusRule,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    validate=validate,
)
