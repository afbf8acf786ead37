"""What is put beside the manifests of add-ons."""

import pytest

from semafor.app import addons

PORT = {"name": "http-jaeger", "port": 16686, "protocol": "TCP", "targetPort": 16686}
QUERY = {"name": "http-query", "port": 80, "targetPort": 16686}


@pytest.mark.parametrize(
    ("ports", "after"),
    [
        ([QUERY], [QUERY, PORT]),
        ([QUERY, PORT], [QUERY, PORT]),
        ([{"name": "other", "port": 80, "targetPort": 8080}], [{"name": "other", "port": 80, "targetPort": 8080}]),
    ],
)
def test_the_service_of_jaegers_page_has_its_port(ports, after):
    assert addons.with_port({"spec": {"ports": ports}}) == {"spec": {"ports": after}}
