"""What a request means: containers and options."""

from datetime import UTC, datetime

import pytest
from starlette.datastructures import QueryParams

from semafor.kube.api.errors import StatusError
from semafor.kube.api.streams import target
from semafor.kube.api.streams.target import LogOptions, RemoteOptions

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def pod(*containers, inits=()):
    spec = {"containers": [{"name": name} for name in containers], "initContainers": [{"name": name} for name in inits]}
    return {"metadata": {"name": "web"}, "spec": spec}


@pytest.mark.parametrize(
    ("pod", "asked", "expected"),
    [
        (pod("app"), "", "app"),
        (pod("app", inits=["istio-proxy"]), "", "app"),
        (pod("app", inits=["istio-proxy"]), "istio-proxy", "istio-proxy"),
        (pod("a", "b"), "b", "b"),
    ],
)
def test_the_container_that_is_meant(pod, asked, expected):
    assert target.container(pod, asked) == expected


@pytest.mark.parametrize(
    ("pod", "asked", "message"),
    [
        (pod("a", "b"), "", "a container name must be specified for pod web, choose one of: [a b]"),
        (
            pod("a", "b", inits=["i"]),
            "",
            "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]",
        ),
        (pod("a"), "x", "container x is not valid for pod web"),
    ],
)
def test_the_container_that_cannot_be_meant(pod, asked, message):
    with pytest.raises(StatusError) as caught:
        target.container(pod, asked)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_log_options():
    query = QueryParams("follow=true&tailLines=10&sinceSeconds=5&timestamps=1&limitBytes=100&previous=false")
    assert target.log_options(query, "web", NOW) == LogOptions(
        follow=True,
        previous=False,
        timestamps=True,
        tail=10,
        limit_bytes=100,
        since=datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC),
    )


def test_since_a_time():
    query = QueryParams({"sinceTime": "2026-01-02T03:00:00+01:00"})
    assert target.log_options(query, "web", NOW).since == datetime(2026, 1, 2, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("tailLines=x", "tailLines: Invalid value: x: must be a whole number"),
        ("sinceTime=today", 'sinceTime: Invalid value: "today": must be a time as RFC 3339 writes it'),
        ("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", "at most one of `sinceTime` or `sinceSeconds`"),
    ],
)
def test_log_options_that_are_wrong(query, message):
    with pytest.raises(StatusError) as caught:
        target.log_options(QueryParams(query), "web", NOW)
    assert caught.value.code == 422
    assert message in caught.value.message


def test_exec_options():
    query = QueryParams("command=ls&command=-l&stdin=true&stdout=true&stderr=true&tty=true")
    expected = RemoteOptions(argv=("ls", "-l"), stdin=True, stdout=True, stderr=False, tty=True)
    assert target.remote_options(query, is_exec=True) == expected


@pytest.mark.parametrize(("query", "is_exec"), [("stdout=true", True), ("command=ls", True), ("", False)])
def test_remote_options_that_are_wrong(query, is_exec):
    with pytest.raises(StatusError, match="you must specify"):
        target.remote_options(QueryParams(query), is_exec=is_exec)


@pytest.mark.parametrize(("query", "expected"), [("ports=80", (80,)), ("ports=80,81&ports=90", (80, 81, 90))])
def test_ports(query, expected):
    assert target.ports(QueryParams(query)) == expected


@pytest.mark.parametrize("query", ["", "ports=0", "ports=65536", "ports=x", "ports=99999999999999999999", "ports=٣"])
def test_ports_that_are_wrong(query):
    with pytest.raises(StatusError):
        target.ports(QueryParams(query))
