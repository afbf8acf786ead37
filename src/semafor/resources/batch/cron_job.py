"""CronJob: Jobs by the clock. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.batch import rules
from semafor.resources.batch.job import JobSpec
from semafor.resources.core.refs import ObjectReference
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, Time
from semafor.resources.meta.meta import ObjectMeta


class JobTemplateSpec(Document):
    """What the Jobs look like."""

    metadata: Annotated[ObjectMeta, "Labels and annotations of the Jobs."] = ObjectMeta()
    spec: Annotated[JobSpec | None, "The Jobs' spec."] = None


class CronJobSpec(Document):
    """Which Jobs, and when."""

    schedule: Annotated[str, "When, in cron's five fields."]
    job_template: Annotated[JobTemplateSpec, "What the Jobs look like."]
    time_zone: Annotated[str | None, "Time zone of the schedule; the server's when absent."] = None
    starting_deadline_seconds: Annotated[int | None, NON_NEGATIVE, "Seconds by which a start may be late."] = None
    concurrency_policy: Annotated[
        Literal["Allow", "Forbid", "Replace"] | None, "What happens when the last Job still runs."
    ] = None
    suspend: Annotated[bool | None, "Whether no Jobs are made."] = None
    successful_jobs_history_limit: Annotated[int | None, NON_NEGATIVE, "How many done Jobs to keep; 3 when absent."] = (
        None
    )
    failed_jobs_history_limit: Annotated[int | None, NON_NEGATIVE, "How many failed Jobs to keep; 1 when absent."] = (
        None
    )


class CronJobStatus(Document):
    """The state of a CronJob."""

    active: Annotated[tuple[ObjectReference, ...], ATOMIC, "Jobs that run."] = ()
    last_schedule_time: Annotated[Time | None, "When a Job was last made."] = None
    last_successful_time: Annotated[Time | None, "When a Job was last done."] = None


class CronJob(Document):
    """Jobs by the clock."""

    api_version: Annotated[str, "API version of the object."] = "batch/v1"
    kind: Annotated[str, "Kind of the object."] = "CronJob"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[CronJobSpec | None, "What is wanted."] = None
    status: Annotated[CronJobStatus, "What is."] = CronJobStatus()


KIND = Kind(
    group="batch",
    versions=("v1",),
    kind="CronJob",
    plural="cronjobs",
    short=("cj",),
    categories=("all",),
    document=CronJob,
    subresources=("status",),
    effect=False,
    defaults=rules.cron_job_defaults,
    validate=rules.cron_job,
)
