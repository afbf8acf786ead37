"""Job: pods that run to their end. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.batch import rules
from semafor.resources.core.pod import PodTemplateSpec
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, SET, Time, listing
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class PodFailurePolicyOnExitCodesRequirement(Document):
    """A condition on exit codes."""

    operator: Annotated[Literal["In", "NotIn"], "Whether the code must be or not be in the list."]
    container_name: Annotated[str | None, "The container; all when absent."] = None
    values: Annotated[tuple[int, ...], SET, "Exit codes."] = ()


class PodFailurePolicyOnPodConditionsPattern(Document):
    """A condition on a pod's condition."""

    type: Annotated[str, "Type of the condition."]
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Status that it must have."] = None


class PodFailurePolicyRule(Document):
    """What a failure means; exactly one condition is set."""

    action: Annotated[Literal["FailJob", "FailIndex", "Ignore", "Count"], "What is done."]
    on_exit_codes: Annotated[PodFailurePolicyOnExitCodesRequirement | None, "Condition on exit codes."] = None
    on_pod_conditions: Annotated[
        tuple[PodFailurePolicyOnPodConditionsPattern, ...],
        ATOMIC,
        "Conditions on the pod's conditions; one that holds is enough.",
    ] = ()


class PodFailurePolicy(Document):
    """What failures mean."""

    rules: Annotated[
        tuple[PodFailurePolicyRule, ...], ATOMIC, "The rules, in order; the first that matches is taken."
    ] = ()


class SuccessPolicyRule(Document):
    """When a Job counts as done."""

    succeeded_indexes: Annotated[str | None, "Indexes that must succeed, such as 1,3-5."] = None
    succeeded_count: Annotated[int | None, "How many must succeed."] = None


class SuccessPolicy(Document):
    """When a Job counts as done before all pods succeeded."""

    rules: Annotated[tuple[SuccessPolicyRule, ...], ATOMIC, "The rules; one that holds is enough."] = ()


class JobSpec(Document):
    """Which pods, how many, and how often they are tried."""

    template: Annotated[PodTemplateSpec, "What the pods look like."]
    parallelism: Annotated[int | None, NON_NEGATIVE, "Most pods at a time; 1 when absent."] = None
    completions: Annotated[int | None, NON_NEGATIVE, "Pods that must succeed; any one when absent."] = None
    active_deadline_seconds: Annotated[int | None, NON_NEGATIVE, "Seconds after which the Job is ended as failed."] = (
        None
    )
    pod_failure_policy: Annotated[PodFailurePolicy | None, "What failures mean."] = None
    success_policy: Annotated[SuccessPolicy | None, "When it counts as done before all pods succeeded."] = None
    backoff_limit: Annotated[int | None, NON_NEGATIVE, "Failures after which the Job has failed; 6 when absent."] = None
    backoff_limit_per_index: Annotated[int | None, "The same for each index."] = None
    max_failed_indexes: Annotated[int | None, "Failed indexes after which the Job has failed."] = None
    selector: Annotated[LabelSelector | None, ATOMIC, "Which pods belong to it; made by the server."] = None
    manual_selector: Annotated[bool | None, "Whether the selector is one's own."] = None
    ttl_seconds_after_finished: Annotated[
        int | None, NON_NEGATIVE, "Seconds after its end when it is deleted; never when absent."
    ] = None
    completion_mode: Annotated[Literal["NonIndexed", "Indexed"] | None, "Whether each pod has an index."] = None
    suspend: Annotated[bool | None, "Whether no pods are made."] = None
    pod_replacement_policy: Annotated[
        Literal["TerminatingOrFailed", "Failed"] | None, "When a failing pod is replaced."
    ] = None
    managed_by: Annotated[str | None, "Who runs the Job, when not Kubernetes itself."] = None


class JobCondition(Document):
    """One aspect of a Job's state."""

    type: Annotated[str, "Which aspect, such as Complete or Failed."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_probe_time: Annotated[Time | None, "When it was last looked at."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class UncountedTerminatedPods(Document):
    """Ended pods that are not counted yet."""

    succeeded: Annotated[tuple[str, ...], SET, "UIDs of those that succeeded."] = ()
    failed: Annotated[tuple[str, ...], SET, "UIDs of those that failed."] = ()


class JobStatus(Document):
    """The state of a Job."""

    conditions: Annotated[
        tuple[JobCondition, ...], listing(patch_key="type"), "Aspects of the present state, told apart by type."
    ] = ()
    start_time: Annotated[Time | None, "When it started."] = None
    completion_time: Annotated[Time | None, "When it was done."] = None
    active: Annotated[int, "Pods that run."] = 0
    succeeded: Annotated[int, "Pods that succeeded."] = 0
    failed: Annotated[int, "Pods that failed."] = 0
    terminating: Annotated[int | None, "Pods that are ending."] = None
    completed_indexes: Annotated[str, "Indexes that succeeded."] = ""
    failed_indexes: Annotated[str | None, "Indexes that failed."] = None
    uncounted_terminated_pods: Annotated[UncountedTerminatedPods | None, "Ended pods that are not counted yet."] = None
    ready: Annotated[int | None, "Pods that are ready."] = None


class Job(Document):
    """Pods that run to their end."""

    api_version: Annotated[str, "API version of the object."] = "batch/v1"
    kind: Annotated[str, "Kind of the object."] = "Job"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[JobSpec | None, "What is wanted."] = None
    status: Annotated[JobStatus, "What is."] = JobStatus()


KIND = Kind(
    group="batch",
    versions=("v1",),
    kind="Job",
    plural="jobs",
    categories=("all",),
    document=Job,
    subresources=("status",),
    defaults=rules.job_defaults,
    validate=rules.job,
)
