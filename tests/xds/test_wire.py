"""Requests as bytes: what Envoy writes is read, and nonsense is refused without harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.base import protobuf
from semafor.xds import wire
from semafor.xds.wire import ProtocolError, Request

TEXT = st.text(max_size=20)
TEXTS = st.lists(TEXT, max_size=5).map(tuple)


def encode(request: Request) -> bytes:
    def text(field: int, value: str) -> bytes:
        return protobuf.delimited(field, value.encode()) if value else b""

    parts = [protobuf.delimited(1, text(1, request.node_id))] if request.node_id else []
    parts += [text(2, request.type_url)]
    parts += [protobuf.delimited(3, name.encode()) for name in request.subscribe]
    parts += [protobuf.delimited(4, name.encode()) for name in request.unsubscribe]
    parts += [protobuf.delimited(5, text(1, name) + text(2, version)) for name, version in request.initial_versions]
    parts += [text(6, request.nonce)]
    parts += [protobuf.delimited(7, b"\x08\x03" + text(2, request.error))] if request.error is not None else []
    return b"".join(parts)


REQUESTS = st.builds(
    Request,
    type_url=TEXT,
    node_id=TEXT,
    subscribe=TEXTS,
    unsubscribe=TEXTS,
    initial_versions=st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple),
    nonce=TEXT,
    error=st.none() | st.text(min_size=1, max_size=20),
)


@given(REQUESTS)
def test_a_request_is_read_as_it_was_written(request):
    assert wire.parse(encode(request)) == request


@given(st.binary(max_size=200))
def test_nonsense_is_read_or_refused_but_never_crashes(raw):
    try:
        wire.parse(raw)
    except ProtocolError:
        return


@given(REQUESTS, st.integers(0, 300))
def test_a_request_that_is_cut_off_is_read_or_refused(request, length):
    try:
        wire.parse(encode(request)[:length])
    except ProtocolError:
        return


@pytest.mark.parametrize(
    "raw", [b"\x12\xff", b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b", b"\x12\x05ab"]
)
def test_a_malformed_message_is_refused(raw):
    with pytest.raises(ProtocolError):
        wire.parse(raw)


def test_a_refusal_without_words_is_still_a_refusal():
    assert wire.parse(protobuf.delimited(7, b"\x08\x03")).error == "refused without a reason"


def test_fields_of_later_versions_are_passed_over():
    later = protobuf.delimited(99, b"x") + b"\x79" + b"\0" * 8 + b"\x7d" + b"\0" * 4 + b"\x78\x01"
    assert wire.parse(later + protobuf.delimited(6, b"7")).nonce == "7"
