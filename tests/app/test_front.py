import stat
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from semafor.app import front
from semafor.base import names
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service

SERVICE = Service(
    host="web.shop.svc.cluster.local", name="web", namespace="shop", addresses=("10.96.0.7",), headless=False,
    ports=(Port(number=80, name="http", protocol=Protocol.HTTP, target=8080),), selector=(("app", "web"),),
)  # fmt: skip
STATES = {"CDS": "SYNCED", "LDS": "STALE", "RDS": "NOT SENT"}
WEB = {
    "proxy": "web.shop",
    "connected": True,
    "behind": 0,
    "types": {"CDS": "SYNCED", "LDS": "STALE", "RDS": "NOT SENT"},
}
PIPELINE = cast(
    "Any", SimpleNamespace(proxies=lambda: [WEB], mesh=SimpleNamespace(by_host={SERVICE.host: SERVICE}))
)  # fmt: skip


@pytest.fixture
async def client(tmp_path):
    path = tmp_path / "debug.sock"
    async with front.serve(front.application(PIPELINE), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # pods have it by a socket that is its owner's alone
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://istiod") as made:
            yield made


async def test_tools_see_which_proxies_there_are_in_istios_words(client):
    assert (await client.get("/debug/syncz")).json() == [
        {
            "cluster_id": "Kubernetes", "istio_version": names.ISTIO_VERSION, "proxy": "web.shop", "connected": True,
            "behind": 0, "cluster_sent": "0", "cluster_acked": "0", "listener_sent": "0", "listener_acked": "",
        }
    ]  # fmt: skip


async def test_tools_see_which_services_there_are_in_istios_words(client):
    (service,) = (await client.get("/debug/registryz")).json()
    assert service["Attributes"]["LabelSelectors"] == {"app": "web"}
    assert service["ports"] == [{"name": "http", "port": 80, "protocol": "HTTP"}]
    assert service["clusterVIPs"] == {"Addresses": {"Kubernetes": ["10.96.0.7"]}}
