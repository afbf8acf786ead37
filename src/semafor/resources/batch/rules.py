"""Kubernetes' defaults and rules for Jobs and CronJobs. Source: Kubernetes' batch/v1 defaults and validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.core import pod_defaults, pod_rules
from semafor.resources.defaulting import fill, inside
from semafor.resources.errors import FieldError

Doc = dict[str, Any]
_JOB = {
    "backoffLimit": 6,
    "completionMode": "NonIndexed",
    "manualSelector": False,
    "suspend": False,
    "podReplacementPolicy": "TerminatingOrFailed",
}
_CRON_JOB = {
    "concurrencyPolicy": "Allow",
    "suspend": False,
    "successfulJobsHistoryLimit": 3,
    "failedJobsHistoryLimit": 1,
}
_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_CRON_FIELDS = 5
# The controller appends 11 characters to make the Jobs' names.
_LONGEST_CRON_JOB_NAME = 52


def job_defaults(doc: Doc) -> Doc:
    """One pod that must succeed, tried again six times."""
    return inside(doc, "spec", _job_spec)


def _job_spec(spec: Doc) -> Doc:
    if "completions" not in spec and "parallelism" not in spec:
        spec = {**spec, "completions": 1}
    if spec.get("podFailurePolicy"):  # which can only judge a pod that has ended
        spec = fill(spec, {"podReplacementPolicy": "Failed"})
    return inside(fill(spec, {**_JOB, "parallelism": 1}), "template", pod_defaults.template)


def cron_job_defaults(doc: Doc) -> Doc:
    """Jobs may overlap; three done ones and a failed one are kept."""

    def spec(wanted: Doc) -> Doc:
        return inside(fill(wanted, _CRON_JOB), "jobTemplate", lambda job: inside(job, "spec", _template_only))

    return inside(doc, "spec", spec)


def _template_only(spec: Doc) -> Doc:
    return inside(spec, "template", pod_defaults.template)


def job(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Job."""
    yield from _job(doc.get("spec", {}), "spec")


def _job(spec: Doc, path: str) -> Iterator[FieldError]:
    template = spec.get("template")
    if template is None:
        yield errors.required(f"{path}.template")
        return
    yield from pod_rules.template(template, f"{path}.template")
    policy = template.get("spec", {}).get("restartPolicy", "Always")
    if policy == "Always":
        yield errors.not_supported(f"{path}.template.spec.restartPolicy", policy, ("OnFailure", "Never"))
    if spec.get("completionMode") == "Indexed" and "completions" not in spec:
        yield errors.required(f"{path}.completions", "when completion mode is Indexed")


def cron_job(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a CronJob."""
    name, spec = doc.get("metadata", {}).get("name", ""), doc.get("spec", {})
    if len(name) > _LONGEST_CRON_JOB_NAME:
        why = f"must be no more than {_LONGEST_CRON_JOB_NAME} characters"
        yield errors.invalid("metadata.name", name, why)
    schedule = spec.get("schedule", "")
    if schedule and not _is_schedule(schedule):
        yield errors.invalid(
            "spec.schedule", schedule, f"must be {_CRON_FIELDS} fields of cron, or one of {', '.join(_MACROS)}"
        )
    if "TZ=" in schedule:
        yield errors.invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone instead")
    yield from _job(spec.get("jobTemplate", {}).get("spec", {}), "spec.jobTemplate.spec")


def _is_schedule(text: str) -> bool:
    return text in _MACROS or text.startswith("@every ") or len(text.split()) == _CRON_FIELDS
