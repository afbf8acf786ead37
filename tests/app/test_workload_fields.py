"""What of a workload has no effect is told by name."""

from semafor.app import workload_fields
from semafor.resources.batch import job


def test_a_jobs_limits_for_each_index_are_named() -> None:
    policy = {"rules": [{"action": "FailIndex"}, {"action": "Count"}]}
    spec = {"backoffLimitPerIndex": 1, "podFailurePolicy": policy, "backoffLimit": 2}
    found = workload_fields.problems(job.KIND, {"metadata": {"name": "sums", "namespace": "shop"}, "spec": spec})
    assert [problem.path for problem in found] == [
        "spec.backoffLimitPerIndex",
        "spec.podFailurePolicy.rules[0].action",
    ]
