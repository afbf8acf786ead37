"""The end of a proxy: it takes nothing new, and what it has taken may end."""

import asyncio
import http.client
from typing import Final

ADMIN_PORT: Final = 15000
_CHECK_S: Final = 0.5
_ACTIVE: Final = "downstream_cx_active"


async def drained(longest_s: float) -> None:
    """Tell Envoy to drain, and wait until no caller is connected any more; `longest_s` at most."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + longest_s
    try:
        await asyncio.to_thread(_ask, "POST", "/drain_listeners?graceful")
        while loop.time() < deadline and await asyncio.to_thread(_is_called):  # noqa: ASYNC110 Envoy tells nobody
            await asyncio.sleep(_CHECK_S)
    except OSError:
        return  # it has ended already


def _is_called() -> bool:
    """Whether a caller is connected to a listener of the mesh; the admin interface has its own."""
    lines = _ask("GET", f"/stats?filter=^listener\\..*{_ACTIVE}$").splitlines()
    return any(int(line.rpartition(": ")[2]) for line in lines if _ACTIVE in line and ".admin." not in line)


def _ask(method: str, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", ADMIN_PORT, timeout=5)
    try:
        connection.request(method, path)
        return connection.getresponse().read().decode(errors="replace")
    finally:
        connection.close()
