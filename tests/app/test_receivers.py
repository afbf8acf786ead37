"""Alerts reach an Alertmanager and webhooks: when they begin, seldom while they go on, and when they end."""

import asyncio
import json
import shutil
import socket
import time
import urllib.request
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from semafor.app.monitoring import rules
from semafor.app.monitoring.receivers import Receivers
from semafor.resources.core import config_map
from semafor.telemetry import labels
from semafor.telemetry.rules.alerts import Alert
from semafor.telemetry.times import stamp

NOW_MS = 1_700_000_000_000
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


class Listener:
    """Hears what is posted, and answers as it is told."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 200
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length:"))
        body = json.loads(await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {self.status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        if self.status == 200:
            self.heard.put_nowait(body)


@pytest.fixture
async def webhook() -> AsyncIterator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    yield listener
    server.close()


def receivers(**addresses: str) -> Receivers:
    found = {config_map.KIND: {"data": addresses}}
    client = SimpleNamespace(get=lambda kind, *_: found.get(kind))

    async def nowhere(*_: object) -> Any:
        raise OSError

    return Receivers(cast("Any", client), nowhere)


def alert(name: str, *, since_ms: int = NOW_MS) -> Alert:
    named = labels.of({"alertname": name, "team": "blue"})
    return Alert(named, {"description": "it fails"}, 1.0, since_ms, state="firing", fired_ms=since_ms)


def told(found: Receivers) -> rules.Rules:
    return rules.Rules(cast("Any", None), cast("Any", None), found)


async def tell(teller: rules.Rules, alerts: list[Alert], now_ms: int, monkeypatch) -> None:
    monkeypatch.setattr(rules.time, "time", lambda: now_ms / 1000)
    if news := [each for each in alerts if rules._is_news(each, now_ms)]:
        await teller._tell(news)


async def test_a_webhook_hears_of_the_beginning_the_end_and_seldom_between(webhook, monkeypatch):
    teller = told(receivers(webhooks=f"http://127.0.0.1:{webhook.port}/hook?a=b"))
    alerts = [alert("A"), alert("B")]
    await tell(teller, alerts, NOW_MS, monkeypatch)
    heard = webhook.heard.get_nowait()
    assert heard["commonLabels"] == {"team": "blue"}
    assert heard["status"] == "firing"
    assert [(each["labels"]["alertname"], each["endsAt"]) for each in heard["alerts"]] == [
        ("A", "0001-01-01T00:00:00Z"), ("B", "0001-01-01T00:00:00Z"),
    ]  # fmt: skip
    assert len({each["fingerprint"] for each in heard["alerts"]}) == 2
    for minutes in range(1, 240):
        await tell(teller, alerts, NOW_MS + minutes * 60_000, monkeypatch)
    assert webhook.heard.empty()
    await tell(teller, alerts, NOW_MS + 240 * 60_000, monkeypatch)
    assert len(webhook.heard.get_nowait()["alerts"]) == 2
    ended_ms = NOW_MS + 241 * 60_000
    alerts[0].state, alerts[0].resolved_ms = "inactive", ended_ms
    await tell(teller, alerts, ended_ms, monkeypatch)
    heard = webhook.heard.get_nowait()
    assert [(each["status"], each["endsAt"]) for each in heard["alerts"]] == [("resolved", stamp(ended_ms / 1000))]


async def test_what_a_webhook_did_not_hear_is_told_again(webhook, monkeypatch):
    teller = told(receivers(webhooks=f"http://127.0.0.1:{webhook.port}/"))
    webhook.status = 500
    alerts = [alert("A")]
    await tell(teller, alerts, NOW_MS, monkeypatch)
    webhook.status = 200
    await tell(teller, alerts, NOW_MS + 1000, monkeypatch)
    assert webhook.heard.get_nowait()["alerts"][0]["labels"]["alertname"] == "A"


@pytest.fixture
async def alertmanager(tmp_path, webhook) -> AsyncIterator[str]:
    """A real one, which groups by team and tells the webhook."""
    route: dict[str, Any] = {"receiver": "hook", "group_by": ["team"]}
    route |= {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "4h"}
    hook = {"name": "hook", "webhook_configs": [{"url": f"http://127.0.0.1:{webhook.port}/"}]}
    config = tmp_path / "alertmanager.yml"
    config.write_text(json.dumps({"route": route, "receivers": [hook]}))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = await asyncio.create_subprocess_exec(
        str(ALERTMANAGER), f"--config.file={config}", f"--storage.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error",
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while not await asyncio.to_thread(_answers, f"{address}/-/ready"):
        if running.returncode is not None:
            pytest.skip("Alertmanager does not start: Debian's wants its templates in /usr/share")
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    yield address
    running.terminate()
    await running.wait()


def _answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


@pytest.mark.machine
@pytest.mark.skipif(not ALERTMANAGER, reason="no Alertmanager here")
async def test_a_real_alertmanager_groups_them_and_hears_of_their_end(alertmanager, webhook):
    teller, now_ms = told(receivers(alertmanagers=alertmanager)), round(time.time() * 1000)
    alerts = [alert("A", since_ms=now_ms - 1000), alert("B", since_ms=now_ms - 1000)]
    await teller._tell(alerts)
    assert [each.sent_state for each in alerts] == ["firing", "firing"]
    async with asyncio.timeout(60):
        group = await webhook.heard.get()
    assert group["groupLabels"] == {"team": "blue"}
    assert {each["labels"]["alertname"] for each in group["alerts"]} == {"A", "B"}
    for each in alerts:
        each.state, each.resolved_ms = "inactive", round(time.time() * 1000)
    await teller._tell(alerts)
    async with asyncio.timeout(60):
        while (group := await webhook.heard.get())["status"] != "resolved":
            pass
    assert {each["status"] for each in group["alerts"]} == {"resolved"}
