"""The daemon's side of a channel: requests that are awaited, events that are handed on, and the end."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence

from semafor.kube.node import channel, stdio
from semafor.kube.node.channel import Json, Message
from semafor.kube.node.spec import Gone, StartError


class Peer:
    """The agent, or one pod's supervisor. Answers come in any order, events between them."""

    def __init__(self, ours: socket.socket, on_event: Callable[[Json], None], on_end: Callable[[], None]) -> None:
        self._socket = ours
        self._socket.setblocking(False)  # noqa: FBT003  (the standard library's signature)
        self._on_event = on_event
        self._on_end = on_end
        self._last_id = 0
        self._sending = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._ended = False
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read)

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    async def request(self, body: Json, fds: Sequence[int] = (), *, number: int | None = None) -> Message:
        """Send a request and wait for its answer. Raises StartError, Gone.

        `fds` stay the caller's; those of the answer become it. `number` is one of `next_id`, else it is taken here.
        """
        number = self.next_id() if number is None else number
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self.send({"id": number, **body}, fds)
            message = await answer
        finally:
            self._waiting.pop(number, None)
        _raise_error(message.body)
        return message

    async def send(self, body: Json, fds: Sequence[int] = ()) -> None:
        """Send a message that has no answer. Raises Gone."""
        async with self._sending:
            try:
                await self._send_now(body, fds)
            finally:
                if self._ended:
                    self._socket.close()

    async def _send_now(self, body: Json, fds: Sequence[int]) -> None:
        while not self._ended:
            try:
                channel.send(self._socket, body, fds)
            except BlockingIOError:
                await stdio.writable(self._socket.fileno())
            except OSError as error:
                raise Gone(f"the pod's supervisor has ended: {error}") from error
            else:
                return
        raise Gone("the pod's supervisor has ended")

    def close(self) -> None:
        """End the connection, which ends the other side. What waits for an answer gets Gone."""
        if self._ended:
            return
        self._ended = True
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        with contextlib.suppress(OSError):  # the other side has closed it already
            self._socket.shutdown(socket.SHUT_RDWR)
        if not self._sending.locked():  # else it wakes up, and closes it
            self._socket.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Gone("the pod's supervisor has ended"))
        self._on_end()

    def _read(self) -> None:
        while not self._ended:
            try:
                message = channel.receive(self._socket)
            except BlockingIOError:
                return
            if message is None:
                self.close()
            else:
                self._dispatch(message)

    def _dispatch(self, message: Message) -> None:
        if "event" in message.body:
            self._on_event(message.body)
            return
        answer = self._waiting.get(message.body["id"])
        if answer and not answer.done():
            answer.set_result(message)
        else:  # whoever asked gave up
            channel.close_all(message.fds)


def _raise_error(body: Json) -> None:
    error = body.get("error")
    if not error:
        return
    if error["reason"] == "Gone":
        raise Gone(error["message"])
    raise StartError(error["reason"], error["message"], code=error.get("code", 128))
