"""SPDY/3.1 without I/O: two cores that talk to each other, and bytes of the standard."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.kube.api.streams import spdy, spdy_frames
from semafor.kube.api.streams.spdy import Connection, Data, GoneAway, Opened, Replied, Reset, Widened
from semafor.kube.api.streams.spdy_frames import ProtocolError


def meet():
    client, server = Connection(client=True), Connection()
    client.receive(server.data_to_send())
    server.receive(client.data_to_send())
    client.data_to_send()
    server.data_to_send()
    return client, server


def tell(speaker, listener):
    return listener.receive(speaker.data_to_send())


def test_the_dictionary_is_that_of_the_standard():
    assert (len(spdy_frames.DICTIONARY), spdy_frames.DICTIONARY[-7:]) == (1423, b",enq=0.")


def test_a_stream_opens_talks_and_ends_both_ways():
    client, server = meet()
    number = client.open({"streamType": "data", "port": "80"})
    assert tell(client, server) == [Opened(1, {"streamtype": "data", "port": "80"}, fin=False)]
    server.reply(number)
    assert tell(server, client) == [Replied(1)]
    client.send(number, b"question", fin=True)
    assert tell(client, server) == [Data(1, b"question", fin=True)]
    server.send(number, b"answer")
    server.send(number, b"", fin=True)
    assert tell(server, client) == [Data(1, b"answer", fin=False), Data(1, b"", fin=True)]


def test_streams_have_odd_numbers_from_the_client_and_even_ones_from_the_server():
    client, server = meet()
    assert [client.open({}), client.open({}), server.open({}), server.open({})] == [1, 3, 2, 4]


def test_header_blocks_share_one_compression():
    client, server = meet()
    for number in range(1, 9, 2):
        client.open({"requestid": str(number)})
        assert tell(client, server) == [Opened(number, {"requestid": str(number)}, fin=False)]


def test_a_ping_comes_back_and_an_answer_does_not():
    server = Connection()
    server.data_to_send()
    ping = spdy_frames.control(spdy_frames.PING, 0, struct.pack(">I", 7))
    assert server.receive(ping) == []
    assert server.data_to_send() == ping
    server.receive(spdy_frames.control(spdy_frames.PING, 0, struct.pack(">I", 8)))
    assert server.data_to_send() == b""


def test_a_reset_ends_both_directions():
    client, server = meet()
    number = client.open({})
    tell(client, server)
    client.reset(number)
    assert tell(client, server) == [Reset(number)]
    server.send(number, b"too late")
    assert server.data_to_send() == b""


def test_data_for_a_closed_stream_is_dropped():
    client, server = meet()
    number = client.open({})
    tell(client, server)
    server.reset(number)
    client.send(number, b"on its way")
    assert tell(client, server) == []


def test_a_stream_number_that_was_used_is_refused():
    client, server = meet()
    client.open({})
    tell(client, server)
    other = Connection(client=True)
    other.data_to_send()
    other.open({})
    server._reader = spdy_frames.HeaderReader()
    assert tell(other, server) == []
    assert server.data_to_send()[:4] == struct.pack(">HH", 0x8003, spdy_frames.RST_STREAM)


def test_the_goodbye_is_heard():
    client, server = meet()
    client.go_away()
    assert tell(client, server) == [GoneAway()]


def test_windows_limit_a_sender_once_the_other_side_counts():
    client, server = meet()
    number = client.open({})
    tell(client, server)
    assert client.sendable(number) == spdy.WINDOW_BYTES
    client.send(number, b"x" * spdy.WINDOW_BYTES)
    tell(client, server)
    assert client.sendable(number) == 0
    server.release(number, spdy.WINDOW_BYTES)
    assert Widened() in tell(server, client)
    assert client.sendable(number) == spdy.WINDOW_BYTES


def test_a_peer_that_never_counts_is_not_limited():
    server = Connection()
    client = Connection(client=True)
    client.data_to_send()
    number = client.open({})
    tell(client, server)
    server.send(number, b"x" * spdy_frames.MAX_LENGTH)
    assert server.sendable(number) == spdy_frames.MAX_LENGTH


@pytest.mark.parametrize(
    "data",
    [
        spdy_frames.data(0, 0, b"x"),
        spdy_frames.control(spdy_frames.SYN_STREAM, 0, b"12"),
        spdy_frames.control(spdy_frames.SYN_STREAM, 0, struct.pack(">IIH", 1, 0, 0) + b"no zlib"),
        spdy_frames.control(spdy_frames.SETTINGS, 0, struct.pack(">I", 1 << 30)),
        struct.pack(">II", 0x80030001, 0xFFFFFF),
    ],
    ids=["stream 0", "too short", "not compressed", "settings that are not there", "too long"],
)
def test_refuses_what_is_not_spdy(data):
    server = Connection()
    server.data_to_send()
    with pytest.raises(ProtocolError):
        server.receive(data)
    assert server.data_to_send()[:4] == struct.pack(">HH", 0x8003, spdy_frames.GOAWAY)


def test_refuses_headers_that_explode():
    client, server = meet()
    client.open({"bomb": "x" * 10_000_000})
    with pytest.raises(ProtocolError, match="more than"):
        tell(client, server)


@given(st.binary(max_size=200), st.integers(0, 9), st.booleans())
def test_raises_only_protocol_errors(junk, kind, framed):
    data = spdy_frames.control(kind, 1, junk) if framed else junk
    with contextlib.suppress(ProtocolError):
        Connection().receive(data)


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=50)), max_size=20), st.integers(1, 40))
def test_bytes_arrive_whole_however_they_are_cut(sends, size):
    client, server = meet()
    numbers = [client.open({"n": str(at)}) for at in range(3)]
    for at, data in sends:
        client.send(numbers[at], data)
    for number in numbers:
        client.send(number, b"", fin=True)
    wire = client.data_to_send()
    events = [event for at in range(0, len(wire), size) for event in server.receive(wire[at : at + size])]
    got = {number: b"".join(e.data for e in events if isinstance(e, Data) and e.stream == number) for number in numbers}
    assert got == {number: b"".join(data for at, data in sends if numbers[at] == number) for number in numbers}
    assert [event.stream for event in events if isinstance(event, Data) and event.fin] == numbers
