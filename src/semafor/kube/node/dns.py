"""The cluster's DNS server: answers the cluster's names from `zone`, hands all others to the host's resolvers.

It listens in the node's network namespace, on sockets that the runtime binds there, and forwards from the host's,
so it can never ask itself. An unknown name of the cluster is answered NXDOMAIN here and goes nowhere.

Some callers know more hosts than the cluster and the world do; `Hosts` says which, by the caller's address.
"""

import asyncio
import logging
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import dnslib

from semafor.base.names import CLUSTER_DOMAIN
from semafor.kube.node.roles import Api
from semafor.kube.node.zone import Found, Record, Zone
from semafor.resources.core import service
from semafor.resources.discovery import endpoint_slice

Json = dict[str, Any]
Hosts = Callable[[str, str], tuple[str, ...]]  # the caller's address and a name -> addresses, none if it is not known

TTL_S = 5  # CoreDNS's default for the cluster: changes are seen soon
PLAIN_UDP_BYTES = 512  # what a client without EDNS can take
MAX_UDP_BYTES = 1232  # fits every path without fragments; RFC 9715
TRY_S = 2.0  # per resolver of the host
MAX_FORWARDS = 1000  # lookups under way; more are refused rather than queued
log = logging.getLogger(__name__)


class Names:
    """Keeps a zone as the API's Services and EndpointSlices say."""

    def __init__(self, api: Api, zone: Zone) -> None:
        self._api = api
        self._zone = zone

    async def follow(self) -> None:
        """Follow the API for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_services())
            group.create_task(self._follow_slices())

    async def _follow_services(self) -> None:
        async for change, found in self._api.watch(service.KIND):
            (self._zone.remove_service if change == "DELETED" else self._zone.put_service)(found)

    async def _follow_slices(self) -> None:
        async for change, found in self._api.watch(endpoint_slice.KIND):
            (self._zone.remove_slice if change == "DELETED" else self._zone.put_slice)(found)


class Server:
    """Answers questions. `upstreams` are the host's resolvers, in their order; `hosts` go before everything else."""

    def __init__(
        self, zone: Zone, upstreams: tuple[str, ...], *, upstream_port: int = 53, hosts: Hosts | None = None
    ) -> None:
        self._zone = zone
        self._hosts = hosts
        self._upstreams = tuple((address, upstream_port) for address in upstreams)
        self._forwards = 0

    async def serve(self, udp: Any, tcp: Any) -> None:
        """Answer on these bound sockets for ever."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self, group), sock=udp)
            try:
                async with await asyncio.start_server(self._connected, sock=tcp) as server:
                    await server.serve_forever()
            finally:
                transport.close()

    async def answer(self, question: bytes, caller: str = "", *, udp: bool) -> bytes | None:
        """The answer's bytes; None for what is not a question."""
        own = self.answer_now(question, caller, udp=udp)
        return await self._forward(question, udp=udp) if own is None else own or None

    def answer_now(self, question: bytes, caller: str = "", *, udp: bool) -> bytes | None:
        """The answer, when it needs nobody else; b"" for what is not a question; None when it must be forwarded."""
        try:
            query = dnslib.DNSRecord.parse(question)
        except dnslib.DNSError:
            return b""
        if query.header.qr or len(query.questions) != 1:
            return b""
        name = str(query.q.qname).rstrip(".").lower()
        if self._hosts and (addresses := self._hosts(caller, name)):
            known = Found(records=tuple(Record(type="A", data=address) for address in addresses))
            return _reply(query, _records(query, known), udp=udp)
        if not self._zone.is_authoritative(name):
            return None
        found = self._zone.find(name)
        if found is not None and any(record.type == "CNAME" for record in found.records):
            if self._zone.is_authoritative(found.records[0].data):
                return _reply(query, self._chased(query, found), udp=udp)
            if self._upstreams:
                return None
        return _reply(query, _records(query, found), udp=udp)

    def _chased(self, query: Any, found: Found) -> "_Answer":
        """An ExternalName that points to another service: its records follow the CNAME."""
        target = found.records[0].data
        onward = self._zone.find(target)
        first = [_rr(str(query.q.qname), found.records[0])]
        more = [_rr(target, record) for record in (onward.records if onward else ()) if _wanted(query, record)]
        return _Answer(exists=True, records=first + more)

    async def _forward(self, question: bytes, *, udp: bool) -> bytes:
        query = dnslib.DNSRecord.parse(question)
        if self._forwards >= MAX_FORWARDS or not self._upstreams:
            return _failure(query)
        self._forwards += 1
        try:
            found = self._zone.find(str(query.q.qname).rstrip(".").lower())
            if found is not None and found.records:
                return await self._external(query, found, udp=udp)
            return await self._ask(question, udp=udp) or _failure(query)
        finally:
            self._forwards -= 1

    async def _external(self, query: Any, found: Found, *, udp: bool) -> bytes:
        """An ExternalName that points outside: what the host's resolvers say of its target follows the CNAME."""
        target = found.records[0].data
        onward = dnslib.DNSRecord(
            dnslib.DNSHeader(id=query.header.id, rd=1), q=dnslib.DNSQuestion(target, query.q.qtype)
        )
        answer = await self._ask(onward.pack(), udp=udp)
        more = dnslib.DNSRecord.parse(answer).rr if answer else []
        records = [_rr(str(query.q.qname), found.records[0]), *more]
        return _reply(query, _Answer(exists=True, records=records), udp=udp)

    async def _ask(self, question: bytes, *, udp: bool) -> bytes | None:
        for upstream in self._upstreams:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(TRY_S):
                    return await (_ask_udp if udp else _ask_tcp)(upstream, question)
        return None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP client: questions and answers, each after its length. Source: RFC 7766."""
        caller: str = writer.get_extra_info("peername")[0]
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                answer = await self.answer(await reader.readexactly(size), caller, udp=False)
                if answer is None:
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()


class _Udp(asyncio.DatagramProtocol):
    """Datagrams in and out. What the zone knows is answered at once, without a task."""

    def __init__(self, server: Server, group: asyncio.TaskGroup) -> None:
        self._server = server
        self._group = group

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._server.answer_now(data, addr[0], udp=True)
        if answer is None:
            self._group.create_task(self._later(data, addr))
        elif answer:
            self._transport.sendto(answer, addr)

    async def _later(self, data: bytes, addr: Any) -> None:
        if (answer := await self._server.answer(data, addr[0], udp=True)) is not None:
            self._transport.sendto(answer, addr)


# Messages


class _Answer:
    """What goes into a reply. A name that does not exist is NXDOMAIN; one without records of the type is NODATA."""

    def __init__(self, *, exists: bool, records: list[Any]) -> None:
        self.exists = exists
        self.records = records


def _records(query: Any, found: Found | None) -> _Answer:
    if found is None:
        return _Answer(exists=False, records=[])
    records = [record for record in found.records if _wanted(query, record)]
    if len(records) > 1:
        random.shuffle(records)  # so that clients which take the first share the load
    return _Answer(exists=True, records=[_rr(str(query.q.qname), record) for record in records])


def _wanted(query: Any, record: Record) -> bool:
    asked = dnslib.QTYPE.get(query.q.qtype)
    return asked in (record.type, "ANY") or record.type == "CNAME"


def _rr(name: str, record: Record) -> Any:
    return dnslib.RR(name, getattr(dnslib.QTYPE, record.type), ttl=TTL_S, rdata=_rdata(record))


def _rdata(record: Record) -> Any:
    if record.type == "SRV":
        port, target = record.data.split(" ")
        return dnslib.SRV(0, 100, int(port), target)
    return {"A": dnslib.A, "CNAME": dnslib.CNAME, "PTR": dnslib.PTR, "TXT": dnslib.TXT}[record.type](record.data)


def _reply(query: Any, answer: _Answer, *, udp: bool) -> bytes:
    reply = query.reply(ra=1, aa=1)
    for record in answer.records:
        reply.add_answer(record)
    if not answer.exists:
        reply.header.rcode = dnslib.RCODE.NXDOMAIN
    if not answer.records:
        reply.add_auth(_soa())
    limit = _edns(query, reply)
    packed: bytes = reply.pack()
    if udp and len(packed) > limit:
        packed = reply.truncate().pack()
    return packed


def _edns(query: Any, reply: Any) -> int:
    """Answer an EDNS question in kind (RFC 6891); return how many bytes the client can take by UDP."""
    asked = next((record for record in query.ar if record.rtype == dnslib.QTYPE.OPT), None)
    if asked is None:
        return PLAIN_UDP_BYTES
    reply.add_ar(dnslib.EDNS0(udp_len=MAX_UDP_BYTES))
    asked_bytes: int = asked.rclass
    return min(max(asked_bytes, PLAIN_UDP_BYTES), MAX_UDP_BYTES)


def _soa() -> Any:
    """The zone's SOA tells resolvers for how long they may remember that there is nothing."""
    times = (1, 7200, 1800, 86400, TTL_S)
    data = dnslib.SOA(f"ns.dns.{CLUSTER_DOMAIN}", f"hostmaster.{CLUSTER_DOMAIN}", times)
    return dnslib.RR(CLUSTER_DOMAIN, dnslib.QTYPE.SOA, ttl=TTL_S, rdata=data)


def _failure(query: Any) -> bytes:
    reply = query.reply(ra=1, aa=0)
    reply.header.rcode = dnslib.RCODE.SERVFAIL
    packed: bytes = reply.pack()
    return packed


# The host's resolvers


class _Once(asyncio.DatagramProtocol):
    """Waits for the answer to one question; answers to other questions are not taken."""

    def __init__(self, question: bytes) -> None:
        self._id = question[:2]
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
        if data[:2] == self._id and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _ask_udp(upstream: tuple[str, int], question: bytes) -> bytes:
    """Ask over a socket of its own, so that its random port protects the answer."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Once(question), remote_addr=upstream)
    try:
        transport.sendto(question)
        return await protocol.answer
    finally:
        transport.close()


async def _ask_tcp(upstream: tuple[str, int], question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*upstream)
    try:
        writer.write(struct.pack("!H", len(question)) + question)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(size)
    finally:
        writer.close()
