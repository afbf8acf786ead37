"""Istio's sample Bookinfo, each service started as its image starts it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port

from semafor.kube.images import machine

pytestmark = pytest.mark.machine

PROGRAMS = Path(machine.__file__).parent / "programs"
PAGE = "<title>Simple Bookstore App</title>"


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """All four services (reviews with red stars), and a second `reviews` whose ratings are nowhere."""
    names = ("details", "ratings", "reviews", "productpage")
    found = {name: free_port() for name in (*names, "lonely")}
    where = {f"{name.upper()}_{part}": value for name in names for part, value in _where(found[name])}
    stars = {"ENABLE_RATINGS": "true", "STAR_COLOR": "red"}
    nowhere = {"RATINGS_SERVICE_PORT": str(free_port())}
    with ExitStack() as stack:
        for name in names:
            stack.callback(_started(name, found[name], where | stars))
        stack.callback(_started("reviews", found["lonely"], where | stars | nowhere))
        yield found


def _where(port: int) -> tuple[tuple[str, str], ...]:
    return (("HOSTNAME", "127.0.0.1"), ("SERVICE_PORT", str(port)))


def _started(service: str, port: int, env: dict[str, str]) -> Any:
    command = [sys.executable, "-P", "-s", "-S", "-m", "bookinfo", service, str(port)]
    env = {"PYTHONPATH": str(PROGRAMS), "HOSTNAME": "pod-1", **env}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.01)

    def end() -> None:
        os.kill(process.pid, 15)
        process.wait()

    return end


def call(port: int, path: str, body: str | None = None, **headers: str) -> tuple[int, str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET" if body is None else "POST", path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


def test_the_page_shows_reviews_with_the_stars_that_were_given(ports):
    status, page, _ = call(ports["productpage"], "/productpage")
    assert (status, PAGE in page, page.count("glyphicon-star"), "color:red" in page) == (200, True, 9, True)


def test_ratings_that_are_posted_stay(ports):
    call(ports["ratings"], "/ratings/7", '{"Reviewer1": 1}')
    assert json.loads(call(ports["ratings"], "/ratings/7")[1]) == {"id": 7, "ratings": {"Reviewer1": 1}}


def test_missing_ratings_are_told_and_hold_nothing_up(ports):
    status, text, _ = call(ports["lonely"], "/reviews/0")
    ratings = [review["rating"] for review in json.loads(text)["reviews"]]
    assert (status, ratings) == (200, [{"error": "Ratings service is currently unavailable"}] * 2)


def test_who_signs_in_is_known_and_nobody_else(ports):
    _, _, headers = call(ports["productpage"], "/login", "username=jason&passwd=x")
    cookie = headers["set-cookie"].split(";")[0]
    assert "jason" in call(ports["productpage"], "/productpage", cookie=cookie)[1]
    assert "jason" not in call(ports["productpage"], "/productpage", cookie=cookie[:-1] + "x")[1]


@pytest.mark.parametrize(
    ("service", "path", "status"),
    [
        ("details", "/details/x", 400),
        ("ratings", "/nothing", 404),
        ("reviews", "/health", 200),
        ("productpage", "/api/v1/products/0/ratings", 200),
    ],
)
def test_statuses(ports, service, path, status):
    assert call(ports[service], path)[0] == status
