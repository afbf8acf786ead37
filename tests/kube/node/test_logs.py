"""Reading logs as the CRI writes them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from semafor.kube.node import logs
from semafor.kube.node.logs import View

LOG = (
    b"2026-11-22T15:00:00.000000001Z stdout F one\n"
    b"2026-11-22T15:00:01.000000001Z stderr P tw\n"
    b"2026-11-22T15:00:01.000000002Z stderr F o\n"
    b"2026-11-22T15:00:02.000000001Z stdout F \n"
    b"2026-11-22T15:00:03.000000001Z stdout F three\n"
    b"2026-11-22T15:00:04"
)

STAMPED = b"2026-11-22T15:00:01.000000001Z two\n2026-11-22T15:00:02.000000001Z \n2026-11-22T15:00:03.000000001Z three\n"

VIEWS: list[tuple[dict[str, Any], bytes]] = [
    ({}, b"one\ntwo\n\nthree\n"),
    ({"tail": 1}, b"three\n"),
    ({"tail": 2}, b"\nthree\n"),
    ({"tail": 0}, b""),
    ({"tail": 99}, b"one\ntwo\n\nthree\n"),
    ({"since": datetime(2026, 11, 22, 15, 0, 2, tzinfo=UTC)}, b"\nthree\n"),
    ({"limit_bytes": 5}, b"one\nt"),
    (
        {"timestamps": True, "since": datetime(2026, 11, 22, 15, 0, 1, tzinfo=UTC)},
        STAMPED,
    ),
]


async def read(path: Path, view: View) -> bytes:
    return b"".join([chunk async for chunk in logs.read(path, view)])


@pytest.mark.parametrize(("view", "text"), VIEWS)
async def test_view(tmp_path: Path, view: dict[str, Any], text: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(LOG)
    assert await read(path, View(**view)) == text


async def test_a_tail_longer_than_a_block_is_found(tmp_path: Path) -> None:
    lines = [f"2026-11-22T15:00:00.000000001Z stdout F {number}" for number in range(10_000)]
    path = tmp_path / "log"
    path.write_text("\n".join(lines) + "\n")
    assert await read(path, View(tail=3)) == b"9997\n9998\n9999\n"


async def test_following_shows_what_comes_until_the_end(tmp_path: Path) -> None:
    path, ended = tmp_path / "log", asyncio.Event()
    path.write_bytes(LOG[:44])
    chunks = []
    async for chunk in logs.read(path, View(), ended.is_set):
        chunks.append(chunk)
        if len(chunks) == 1:
            with path.open("ab") as file:
                file.write(LOG[44:140])
        else:
            ended.set()
    assert b"".join(chunks) == b"one\ntwo\n"


async def test_following_goes_on_in_the_next_file_when_the_log_is_rotated(tmp_path: Path) -> None:
    path, ended = tmp_path / "log", asyncio.Event()
    path.write_bytes(LOG[:44])
    chunks = []
    async for chunk in logs.read(path, View(), ended.is_set):
        chunks.append(chunk)
        if len(chunks) == 1:
            path.rename(tmp_path / "log.1")
            path.write_bytes(b"2026-11-22T15:00:09.000000001Z stdout F next\n")
            ended.set()
    assert b"".join(chunks) == b"one\nnext\n"
