"""Messages with open files, over a socket pair."""

import os

import pytest

from semafor.kube.node import channel


def test_a_message_arrives_with_its_files() -> None:
    ours, theirs = channel.pair()
    read, write = os.pipe()
    with ours, theirs:
        channel.send(ours, {"op": "x"}, [write])
        message = channel.receive(theirs)
    assert message
    os.write(message.fds[0], b"through")
    assert (message.body, os.read(read, 99), os.get_inheritable(message.fds[0])) == ({"op": "x"}, b"through", False)
    channel.close_all([read, write, *message.fds])


def test_a_message_larger_than_a_packet_arrives_whole() -> None:
    ours, theirs = channel.pair()
    body = {"env": ["x" * 1000] * 2000}
    with ours, theirs:
        channel.send(ours, body)
        assert channel.receive(theirs) == (body, [])


def test_the_end_of_the_other_side_is_the_end() -> None:
    ours, theirs = channel.pair()
    with theirs:
        ours.close()
        assert channel.receive(theirs) is None


def test_a_socket_that_does_not_block_says_that_nothing_is_there() -> None:
    ours, theirs = channel.pair()
    with ours, theirs:
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            channel.receive(theirs)
