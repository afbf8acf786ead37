"""What is said of one object by itself is what is said of it among all."""

import pytest
from tests.golden import cases

from semafor import planner
from semafor.base.problem import ObjectRef


@pytest.mark.parametrize("folder", cases.folders(), ids=lambda folder: str(folder.relative_to(cases.ROOT)))
def test_an_object_has_the_same_problems_by_itself(folder):
    case = cases.Case(folder)
    everything = planner.check(case.mesh)
    objects = [cases.decoded(document) for document in case.documents]
    for one in objects:
        group = one.api_version.rpartition("/")[0]
        ref = ObjectRef(kind=one.kind, namespace=one.metadata.namespace, name=one.metadata.name, group=group)
        assert planner.about(case.mesh, ref) == tuple(problem for problem in everything if problem.ref == ref)
