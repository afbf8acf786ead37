"""The DNS server over real sockets, with another server in the place of the host's resolver."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dnslib
from tests.kube.node.test_zone import service, zone

from semafor.kube.node.dns import Hosts, Server
from semafor.kube.node.zone import Zone


class Upstream(asyncio.DatagramProtocol):
    """The host's resolver: example.org is 192.0.2.1, all else does not exist. `asked` counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dnslib.DNSRecord.parse(data)
        self.asked.append(str(query.q.qname))
        reply = query.reply()
        if str(query.q.qname) == "example.org.":
            reply.add_answer(*dnslib.RR.fromZone("example.org. 60 A 192.0.2.1"))
        else:
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
        self._transport.sendto(reply.pack(), addr)


@asynccontextmanager
async def served(names: Zone | None = None, hosts: Hosts | None = None) -> AsyncIterator[tuple[int, Upstream]]:
    loop = asyncio.get_running_loop()
    upstream = Upstream()
    transport, _ = await loop.create_datagram_endpoint(lambda: upstream, local_addr=("127.0.0.1", 0))
    udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
    # TCP first: the system gives out its free ports to connections of other tests, but never one that is bound.
    tcp.bind(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    udp.bind(("127.0.0.1", port))
    port_above = transport.get_extra_info("sockname")[1]
    server = Server(names or zone(), ("127.0.0.1",), upstream_port=port_above, hosts=hosts)
    task = asyncio.create_task(server.serve(udp, tcp))
    await asyncio.sleep(0)
    try:
        yield port, upstream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        transport.close()


async def ask(port: int, name: str, kind: str = "A", *, tcp: bool = False) -> tuple[str, list[str]]:
    """The reply's code and its answers' data."""
    query = dnslib.DNSRecord.question(name, kind)
    packed = await asyncio.to_thread(query.send, "127.0.0.1", port, tcp=tcp, timeout=5)
    reply = dnslib.DNSRecord.parse(packed)
    return dnslib.RCODE[reply.header.rcode], [str(record.rdata) for record in reply.rr]


async def test_a_service_is_answered_over_udp_and_tcp() -> None:
    async with served() as (port, _):
        answers = [await ask(port, "Web.Shop.svc.cluster.local", tcp=tcp) for tcp in (False, True)]
    assert answers == [("NOERROR", ["10.96.0.7"])] * 2


async def test_aaaa_of_a_service_is_nodata_and_an_unknown_name_nxdomain() -> None:
    async with served() as (port, upstream):
        nodata = await ask(port, "web.shop.svc.cluster.local", "AAAA")
        nothing = await ask(port, "nobody.shop.svc.cluster.local")
    assert (nodata, nothing, upstream.asked) == (("NOERROR", []), ("NXDOMAIN", []), [])


async def test_other_names_are_asked_of_the_hosts_resolver() -> None:
    async with served() as (port, _):
        assert await ask(port, "example.org") == ("NOERROR", ["192.0.2.1"])
        assert await ask(port, "nothing.example") == ("NXDOMAIN", [])


async def test_an_external_name_leads_to_the_records_of_its_target() -> None:
    async with served() as (port, _):
        assert await ask(port, "out.shop.svc.cluster.local") == ("NOERROR", ["example.org.", "192.0.2.1"])


async def test_an_external_name_can_lead_to_another_service() -> None:
    names = zone()
    names.put_service(service("alias", type="ExternalName", externalName="web.shop.svc.cluster.local"))
    async with served(names) as (port, _):
        answer = await ask(port, "alias.shop.svc.cluster.local")
    assert answer == ("NOERROR", ["web.shop.svc.cluster.local.", "10.96.0.7"])


async def test_srv_and_ptr() -> None:
    async with served() as (port, _):
        srv = await ask(port, "_http._tcp.web.shop.svc.cluster.local", "SRV")
        ptr = await ask(port, "7.0.96.10.in-addr.arpa", "PTR")
    assert (srv, ptr) == (
        ("NOERROR", ["0 100 80 web.shop.svc.cluster.local."]),
        ("NOERROR", ["web.shop.svc.cluster.local."]),
    )


async def test_a_resolver_that_is_down_gives_servfail() -> None:
    query = dnslib.DNSRecord.question("example.org").pack()
    answer = await Server(zone(), ()).answer(query, udp=True)
    assert answer is not None
    assert dnslib.RCODE[dnslib.DNSRecord.parse(answer).header.rcode] == "SERVFAIL"


async def test_an_answer_too_long_for_udp_says_so_and_comes_by_tcp() -> None:
    names = Zone("10.244.0.0/16", "10.96.0.0/16")
    names.put_service(service("many", clusterIP="None"))
    endpoints = [{"addresses": [f"10.244.1.{number}"], "conditions": {}} for number in range(100)]
    labels = {"kubernetes.io/service-name": "many"}
    names.put_slice({"metadata": {"name": "m", "namespace": "shop", "labels": labels}, "endpoints": endpoints})
    server = Server(names, ())
    query = dnslib.DNSRecord.question("many.shop.svc.cluster.local").pack()
    short, whole = [dnslib.DNSRecord.parse(server.answer_now(query, udp=udp)) for udp in (True, False)]
    assert (short.header.tc, len(whole.rr)) == (1, 100)


async def test_garbage_is_not_answered() -> None:
    assert await Server(zone(), ()).answer(struct.pack("!H", 7), udp=True) is None


async def test_some_callers_know_more_hosts_and_these_go_before_all_others():
    known = {("127.0.0.1", "example.org"): ("240.240.0.1",)}
    async with served(hosts=lambda caller, name: known.get((caller, name), ())) as (port, upstream):
        assert await ask(port, "example.org") == ("NOERROR", ["240.240.0.1"])
        assert await ask(port, "Example.org", tcp=True) == ("NOERROR", ["240.240.0.1"])
        assert await ask(port, "example.org", "AAAA") == ("NOERROR", [])
        assert upstream.asked == []


async def test_a_host_that_the_caller_does_not_know_is_looked_up_as_ever():
    async with served(hosts=lambda _caller, _name: ()) as (port, _):
        assert await ask(port, "example.org") == ("NOERROR", ["192.0.2.1"])
