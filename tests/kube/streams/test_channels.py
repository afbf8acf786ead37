"""The WebSocket dialects as client libraries speak them, byte for byte."""

import json
import socket
import struct

import httpx
import pytest
import wsproto
from hypothesis import given
from hypothesis import strategies as st
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from semafor.kube.api.streams import channels
from semafor.kube.api.streams.peer import Nothing, Resize, Stdin, StdinEnd

POD = "/api/v1/namespaces/default/pods/web"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"\x00abc", Stdin(b"abc")),
        (b"\x00", Nothing()),
        (b"", Nothing()),
        (b'\x04{"Width":80,"Height":24}', Resize(rows=24, cols=80)),
        (b'\x04{"Width":0,"Height":24}', Nothing()),
        (b"\x04[]", Nothing()),
        (b"\xff\x00", StdinEnd()),
        (b"\xff\x01", Nothing()),
        (b"\x01abc", Nothing()),
    ],
)
def test_what_a_client_says(message, said):
    assert channels.decode(message, channels.V5) == said


def test_version_4_cannot_end_stdin():
    assert channels.decode(b"\xff\x00", channels.V4) == Nothing()


@given(st.binary(max_size=40))
def test_any_message_means_something(message):
    assert channels.decode(message, channels.V5) is not None


def test_exec_over_version_4(server):
    with Client(
        server, f"{POD}/exec?command=sh&command=-c&command=echo+out;exit+3&stdout=true", "v4.channel.k8s.io"
    ) as it:
        messages = list(it)
    status = json.loads(messages[-1][1:])
    assert messages[:-1] == [b"\x01", b"\x01out\n"]
    assert (messages[-1][0], status["reason"]) == (3, "NonZeroExitCode")
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_stdin_over_version_4(server):
    with Client(server, f"{POD}/exec?command=head&command=-c3&stdin=true&stdout=true", "v4.channel.k8s.io") as it:
        it.send(b"\x00ab")
        it.send(b"\x00cd")
        assert list(it) == [b"\x01", b"\x01abc", b'\x03{"metadata": {}, "status": "Success"}']


def test_a_client_that_names_no_version_means_4(server):
    with Client(server, f"{POD}/exec?command=true&stdout=true") as it:
        assert list(it) == [b"\x01", b'\x03{"metadata": {}, "status": "Success"}']
        assert it.protocol is None


def test_stdin_in_a_text_message(server):
    with Client(server, f"{POD}/exec?command=head&command=-c2&stdin=true&stdout=true", "v4.channel.k8s.io") as it:
        it.send("\0ab")
        assert list(it)[:2] == [b"\x01", b"\x01ab"]


def test_version_5_is_preferred_when_the_client_prefers_it(server):
    with Client(server, f"{POD}/exec?command=true&stdout=true", "v5.channel.k8s.io", "v4.channel.k8s.io") as it:
        assert it.protocol == "v5.channel.k8s.io"


def test_port_forward_over_version_4(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Client(server, f"{POD}/portforward?ports={port}", "v4.channel.k8s.io") as it:
            number = struct.pack("<H", port)
            assert [next(it), next(it)] == [b"\x00" + number, b"\x01" + number]
            it.send(b"\x00ping")
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(4) == b"ping"
                connection.sendall(b"pong")
            assert list(it) == [b"\x00pong"]


def test_port_forward_over_version_4_says_what_failed(server):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with Client(server, f"{POD}/portforward?ports={port}", "v4.channel.k8s.io") as it:
        assert list(it)[-1].startswith(b"\x01error forwarding port")


@pytest.mark.parametrize(
    ("path", "protocol", "code", "message"),
    [
        (
            "/api/v1/namespaces/default/pods/gone/exec?command=x&stdout=1",
            "v4.channel.k8s.io",
            404,
            'pods "gone" not found',
        ),
        (f"{POD}/exec?stdout=1", "v4.channel.k8s.io", 400, "you must specify at least 1 command for the container"),
        (f"{POD}/exec?command=x&stdout=1", "v9", 403, "unable to negotiate protocol"),
        (f"{POD}/portforward", "v4.channel.k8s.io", 400, 'query parameter "ports" is required'),
    ],
)
def test_a_refusal_is_a_status_in_place_of_the_handshake(server, path, protocol, code, message):
    with Client(server, path, protocol) as it:
        assert (it.refused, it.status["kind"]) == (code, "Status")
        assert message in it.status["message"]


@pytest.mark.parametrize("path", ["exec?command=x&stdout=1", "attach?stdout=1", "portforward"])
def test_a_request_without_an_upgrade_is_refused(server, path):
    response = httpx.post(f"http://127.0.0.1:{server.port}{POD}/{path}")
    assert (response.status_code, response.json()["message"]) == (400, "Upgrade request required")


def test_a_log_is_plain_text(server):
    response = httpx.get(f"http://127.0.0.1:{server.port}{POD}/log")
    assert (response.status_code, response.text) == (200, "one\ntwo\nthree\n")
    assert response.headers["content-type"].startswith("text/plain")


def test_the_log_of_a_pod_without_a_node_is_empty(server):
    response = httpx.get(f"http://127.0.0.1:{server.port}/api/v1/namespaces/default/pods/new/log")
    assert (response.status_code, response.text) == (200, "")


def test_a_followed_log_ends_with_the_server(server):
    with httpx.stream("GET", f"http://127.0.0.1:{server.port}{POD}/log?follow=true") as response:
        lines = response.iter_lines()
        assert [next(lines) for _ in range(3)] == ["one", "two", "three"]
        server.uvicorn.should_exit = True
        assert list(lines) == []


def test_a_refused_log_is_a_status(server):
    response = httpx.get(f"http://127.0.0.1:{server.port}{POD}/log?tailLines=-1")
    assert (response.status_code, response.json()["reason"]) == (422, "Invalid")


class Client:
    """A WebSocket client that hides nothing: iterating gives the binary messages until the server closes."""

    def __init__(self, server, path, *protocols):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.connection = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        request = Request(host="localhost", target=path, subprotocols=list(protocols))
        self.socket.sendall(self.connection.send(request))
        self.refused, self.body, self.protocol = 0, b"", None
        self.events = self.read()
        for event in self.events:
            if isinstance(event, AcceptConnection):
                self.protocol = event.subprotocol
                break

    @property
    def status(self):
        return json.loads(self.body)

    def read(self):
        while data := self.socket.recv(65536):
            self.connection.receive_data(data)
            for event in self.connection.events():
                if isinstance(event, RejectConnection):
                    self.refused = event.status_code
                if isinstance(event, RejectData):
                    self.body += event.data
                yield event
                if isinstance(event, CloseConnection):
                    return

    def send(self, message):
        kind = TextMessage if isinstance(message, str) else BytesMessage
        self.socket.sendall(self.connection.send(kind(data=message)))

    def __iter__(self):
        return self

    def __next__(self):
        return next(bytes(event.data) for event in self.events if isinstance(event, BytesMessage))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
