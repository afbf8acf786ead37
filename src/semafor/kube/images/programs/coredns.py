"""A small CoreDNS: reads a Corefile and answers with the plugins forward, whoami, log, errors, reload, ready, health.

`coredns [-conf FILE] [-dns.port PORT]`. Other plugins are refused by name, as an unknown directive is by the original.

Source: https://coredns.io/manual/configuration/ and https://github.com/coredns/coredns/tree/master/plugin.
"""

# A program of its own: it prints, and listens on all of the pod's addresses.
# ruff: noqa: S104, T201, PTH123

import argparse
import re
import socket
import sys
import threading
from dataclasses import dataclass, field

from dnslib import AAAA, RCODE, RR, SRV, A, DNSRecord

PLUGINS = ("forward", "whoami", "log", "errors", "reload", "ready", "health")
_TIMEOUT_S = 5.0
_DATAGRAM_MAX_BYTES = 4096


@dataclass
class Zone:
    """A server block's zone: its name with a dot in front, its port, its plugins with their arguments."""

    name: str
    port: int
    plugins: dict[str, list[str]] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        return f".{name.lower()}".endswith(self.name)


def parse(text: str, port: int) -> list[Zone]:
    """A Corefile's zones, the most specific first. Raises ValueError."""
    zones: list[Zone] = []
    for block in re.finditer(r"([^{}]+)\{([^{}]*)\}", re.sub(r"#.*", "", text)):
        plugins = {words[0]: words[1:] for words in map(str.split, block[2].splitlines()) if words}
        unknown = sorted(set(plugins) - set(PLUGINS))
        if unknown:
            raise ValueError(f"unknown directive '{unknown[0]}' (here are: {', '.join(PLUGINS)})")
        for key in block[1].split():
            name, _, own = key.removeprefix("dns://").partition(":")
            dotted = f".{name.strip('.').lower()}." if name.strip(".") else "."
            zones.append(Zone(dotted, int(own or port), plugins))
    return sorted(zones, key=lambda zone: -len(zone.name))


def answer(zones: list[Zone], data: bytes, peer: tuple[str, int], transport: str) -> bytes:
    """The answer to one question, from the most specific zone that holds its name."""
    question = DNSRecord.parse(data)
    name = str(question.q.qname)
    zone = next((zone for zone in zones if zone.holds(name)), None)
    reply = _reply(zone, question, data, (*peer, transport))
    if zone and "log" in zone.plugins:
        print(f'[INFO] {peer[0]}:{peer[1]} - {question.header.id} "{name} {transport}"', flush=True)
    return reply


def _reply(zone: Zone | None, question: DNSRecord, data: bytes, peer: tuple[str, int, str]) -> bytes:
    if zone and "whoami" in zone.plugins:
        return bytes(_whoami(question, peer).pack())
    if zone and "forward" in zone.plugins:
        forwarded = _forward(zone.plugins["forward"][1:], data)
        if forwarded:
            return forwarded
        if "errors" in zone.plugins:
            print(f"[ERROR] plugin/errors: 2 {question.q.qname}: no upstream answered", flush=True)
    refused = question.reply()
    refused.header.rcode = RCODE.SERVFAIL if zone else RCODE.REFUSED
    return bytes(refused.pack())


def _whoami(question: DNSRecord, peer: tuple[str, int, str]) -> DNSRecord:
    """Who asks: no answer, but the asker's address and port beside it."""
    address, port, transport = peer
    reply = question.reply(aa=1)
    name = str(question.q.qname)
    record = AAAA(address) if ":" in address else A(address)
    reply.add_ar(RR(name, 28 if ":" in address else 1, ttl=0, rdata=record))
    reply.add_ar(RR(f"_{transport}.{name}", 33, ttl=0, rdata=SRV(port=port, target=".")))
    return reply


def _forward(upstreams: list[str], data: bytes) -> bytes:
    for upstream in upstreams:
        host, _, port = upstream.removeprefix("dns://").partition(":")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.settimeout(_TIMEOUT_S)
                asking.sendto(data, (host, int(port or 53)))
                return asking.recv(_DATAGRAM_MAX_BYTES)
        except OSError:
            continue
    return b""


def _datagrams(listener: socket.socket, zones: list[Zone]) -> None:
    def one(data: bytes, peer: tuple[str, int]) -> None:
        listener.sendto(answer(zones, data, peer, "udp"), peer)

    while True:
        data, peer = listener.recvfrom(_DATAGRAM_MAX_BYTES)
        threading.Thread(target=one, args=(data, peer[:2]), daemon=True).start()


def _connections(listener: socket.socket, zones: list[Zone]) -> None:
    def one(connection: socket.socket, peer: tuple[str, int]) -> None:
        with connection, connection.makefile("rb") as reader:
            while size := reader.read(2):
                reply = answer(zones, reader.read(int.from_bytes(size, "big")), peer, "tcp")
                connection.sendall(len(reply).to_bytes(2, "big") + reply)

    while True:
        connection, peer = listener.accept()
        threading.Thread(target=one, args=(connection, peer[:2]), daemon=True).start()


def main(words: list[str]) -> None:
    """Serve the Corefile's ports until a signal."""
    parser = argparse.ArgumentParser(prog="coredns", prefix_chars="-")
    parser.add_argument("-conf", default="Corefile")
    parser.add_argument("-dns.port", dest="port", type=int, default=53)
    asked = parser.parse_args(words)
    with open(asked.conf, encoding="utf-8") as file:
        zones = parse(file.read(), asked.port)
    for port in sorted({zone.port for zone in zones}):
        here = [zone for zone in zones if zone.port == port]
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("0.0.0.0", port))
        stream = socket.create_server(("0.0.0.0", port))
        threading.Thread(target=_datagrams, args=(datagrams, here), daemon=True).start()
        threading.Thread(target=_connections, args=(stream, here), daemon=True).start()
        for zone in here:
            print(f"{zone.name.lstrip('.') or '.'}:{port}", flush=True)
    print("CoreDNS (semafor)", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, ValueError) as problem:
        sys.exit(f"coredns: {problem}")
