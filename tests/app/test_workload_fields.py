"""What of a workload has no effect is told by name."""

from semafor.app import workload_fields
from semafor.resources.apps import stateful_set
from semafor.resources.batch import job


def test_a_jobs_limits_for_each_index_are_named() -> None:
    policy = {"rules": [{"action": "FailIndex"}, {"action": "Count"}]}
    spec = {"backoffLimitPerIndex": 1, "podFailurePolicy": policy, "backoffLimit": 2}
    found = workload_fields.problems(job.KIND, {"metadata": {"name": "sums", "namespace": "shop"}, "spec": spec})
    assert [problem.path for problem in found] == [
        "spec.backoffLimitPerIndex",
        "spec.podFailurePolicy.rules[0].action",
    ]


def test_what_a_set_does_not_do_with_its_claims_is_named() -> None:
    spec = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"}}
    found = workload_fields.problems(stateful_set.KIND, {"metadata": {"name": "db", "namespace": "a"}, "spec": spec})
    assert [problem.path for problem in found] == ["spec.persistentVolumeClaimRetentionPolicy.whenDeleted"]
