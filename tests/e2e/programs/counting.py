"""Calls the server `counted`: `counting.py ROUNDS`. Prints as JSON how often each answer came, as the app saw it."""

import http.client
import json
import socket
import sys
from collections import Counter

import grpc

PATHS = ("200", "200", "200", "201", "404", "500", "503", "reset", "abort")
seen: Counter[str] = Counter()


def request(connection, path):
    connection.request("GET", f"/{path}")
    answer = connection.getresponse()
    answer.read()
    seen[f"{path}:{answer.status}"] += 1


def main(rounds):
    web = http.client.HTTPConnection("counted", 80, timeout=20)
    channel = grpc.insecure_channel("counted:90")
    for _ in range(rounds):
        for path in PATHS:
            request(web, path)
        for method in ("Echo", "Fail"):
            try:
                channel.unary_unary(f"/a.B/{method}")(b"hello", timeout=20)
                seen["grpc:0"] += 1
            except grpc.RpcError as error:
                seen[f"grpc:{error.code().value[0]}"] += 1
        with socket.create_connection(("counted", 100), timeout=20) as line:
            line.sendall(b"hello\n")
            assert line.recv(100) == b"hello\n"
            seen["tcp"] += 1
    request(web, "slow")
    print(json.dumps(seen))


main(int(sys.argv[1]))
