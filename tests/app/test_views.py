from msgspec.structs import replace

from semafor.app.views import Views
from semafor.planner import Mesh, Options


def test_a_revision_has_options_of_its_own_but_for_what_all_share():
    views, mesh = Views(), Mesh(options=Options(trust_domain="mesh.example"))
    assert views.take("canary", Options(outbound="REGISTRY_ONLY", trust_domain="other.example"))
    found = views.of(mesh)["canary"].options
    assert (found.outbound, found.trust_domain) == ("REGISTRY_ONLY", "mesh.example")
    assert mesh.options == replace(Options(), trust_domain="mesh.example")


def test_a_revision_that_is_gone_has_no_view():
    views = Views()
    views.take("canary", Options())
    assert not views.take("canary", Options())
    assert views.take("canary", None)
    assert views.of(Mesh()) == {}
