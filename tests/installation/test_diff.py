from semafor.installation import diff


def test_objects_are_compared_field_by_field():
    same = {"kind": "Service", "metadata": {"name": "s", "namespace": "n"}, "spec": {"ports": [{"port": 1}]}}
    mesh = {"kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "n"}, "data": {"mesh": "a: 1\nb: 2\n"}}
    other = {**mesh, "data": {"mesh": "b: 3\na: 1\n"}}
    gone, new = ({"kind": "Namespace", "metadata": {"name": name}} for name in ("gone", "new"))
    changed = {**same, "spec": {"ports": [{"port": 2}]}}
    assert list(diff.objects([same, mesh, gone], [changed, other, new])) == [
        diff.Difference("ConfigMap n/istio", "changed", (("data.mesh.b", 2, 3),)),
        diff.Difference("Namespace gone", "removed"),
        diff.Difference("Namespace new", "added"),
        diff.Difference("Service n/s", "changed", (("spec.ports[0].port", 1, 2),)),
    ]
