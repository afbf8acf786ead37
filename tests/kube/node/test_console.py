"""Logs and attached clients, without any container."""

import os
from pathlib import Path

from semafor.kube.node.console import Client, Console, Log


def test_a_line_is_written_when_its_end_has_come(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"))
    log.write("stdout", b"hel")
    before = (tmp_path / "log").read_bytes()
    log.write("stdout", b"lo\nwor")
    log.close()
    texts = [line.split(b" ", 1)[1] for line in (tmp_path / "log").read_bytes().splitlines()]
    assert (before, texts) == (b"", [b"stdout F hello", b"stdout F wor"])


def test_a_long_line_without_an_end_is_written_in_parts(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"))
    log.write("stderr", b"x" * 40_000)
    log.write("stderr", b"\n")
    log.close()
    parts = [line.split(b" ", 3)[2:] for line in (tmp_path / "log").read_bytes().splitlines()]
    assert [(tag, len(part)) for tag, part in parts] == [(b"P", 16384), (b"P", 16384), (b"F", 40_000 - 2 * 16384)]


def test_times_are_in_utc_with_nine_digits(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"))
    log.write("stdout", b"x\n")
    log.close()
    time = (tmp_path / "log").read_text().split(" ")[0]
    assert (len(time), time[10], time[19], time[-1]) == (30, "T", ".", "Z")


def test_a_full_log_makes_room_and_two_older_ones_are_kept(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"), max_bytes=200)
    for number in range(10):
        log.write("stdout", f"{number} {'x' * 60}\n".encode())
    log.close()
    kept = {path.name: [line.split(" ")[3] for line in path.read_text().splitlines()] for path in tmp_path.iterdir()}
    assert kept == {"log": [], "log.1": ["8", "9"], "log.2": ["6", "7"]}


def test_the_first_client_gets_what_came_before_it() -> None:
    console = Console(None, replay=True)
    console.write("stdout", b"before ")
    (read, write), (read2, write2) = os.pipe(), os.pipe()
    first, second = Client(write, -1), Client(write2, -1)
    console.attach(first)
    console.attach(second)
    console.write("stdout", b"after")
    assert all(console.flush(client) for client in (first, second))
    assert (os.read(read, 99), os.read(read2, 99)) == (b"before after", b"after")
    for fd in (read, read2, write, write2):
        os.close(fd)


def test_a_client_that_does_not_read_holds_the_container_back_and_loses_nothing() -> None:
    console = Console(None, replay=False)
    read, write = os.pipe()
    client = Client(write, -1)
    console.attach(client)
    for _ in range(20):
        console.write("stdout", b"y" * 65536)
    console.flush(client)
    assert console.is_full
    console.end()
    total = 0
    while console.flush(client):
        total += len(os.read(read, 65536))
    console.detach(client)
    while piece := os.read(read, 65536):
        total += len(piece)
    os.close(read)
    assert total == 20 * 65536


def test_a_client_that_has_gone_is_noticed() -> None:
    console = Console(None, replay=False)
    read, write = os.pipe()
    client = Client(write, -1)
    console.attach(client)
    os.close(read)
    console.write("stdout", b"anyone?")
    assert not console.flush(client)
    console.detach(client)
    assert console.clients == []
