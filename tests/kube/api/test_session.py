"""Against what kube-apiserver 1.36 answered to the same requests, which `tests/session` has written down."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
from tests.kube.conftest import TOKEN, running
from tests.session import play


@pytest.mark.parametrize("topic", play.TOPICS)
async def test_answers_are_those_of_kube_apiserver(topic: str, tmp_path: Path):
    async with running(tmp_path) as cluster:
        ours = await asyncio.to_thread(_played, cluster.url, tmp_path / "tls.crt", topic)
    known = {say: each["paths"] for say, each in play.known()["steps"].get(topic, {}).items()}
    assert play.differing(play.written(topic), ours) == known


def _played(url: str, certificate: Path, topic: str) -> list[play.Doc]:
    context = ssl.create_default_context(cafile=str(certificate))
    headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "session"}
    with httpx.Client(base_url=url, verify=context, headers=headers, timeout=60) as client:
        return play.play(client, topic)
