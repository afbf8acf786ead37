import stat
from types import SimpleNamespace
from typing import Any, cast

import httpx

from semafor.app import front

PIPELINE = cast("Any", SimpleNamespace(proxies=lambda: [{"proxy": "web.shop", "connected": True, "behind": 0}]))


async def test_pods_see_which_proxies_there_are_through_a_socket_of_their_owners(tmp_path):
    path = tmp_path / "debug.sock"
    async with front.serve(front.application(PIPELINE), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://istiod") as client:
            answer = await client.get("/debug/syncz")
    assert answer.json() == [{"proxy": "web.shop", "connected": True, "behind": 0}]
