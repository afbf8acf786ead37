"""Calls every port of `protocols.py` at HOST, where they follow the number FIRST; prints the answers as JSON."""

import json
import socket
import sys
from http.client import HTTPConnection

import grpc
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

HOST, FIRST = sys.argv[1], int(sys.argv[2])


def http():
    connection = HTTPConnection(HOST, FIRST + 1, timeout=5)
    connection.request("GET", "/")
    return connection.getresponse().read().decode().split()[0]


def rpc():
    with grpc.insecure_channel(f"{HOST}:{FIRST + 2}") as channel:
        return channel.unary_unary("/test.Echo/Say")(b"hello", timeout=5).decode()


def web_socket():
    stream = socket.create_connection((HOST, FIRST + 3), timeout=5)
    connection = WSConnection(ConnectionType.CLIENT)
    stream.sendall(connection.send(Request(host=HOST, target="/")))
    while True:
        connection.receive_data(stream.recv(4096))
        for event in connection.events():
            if isinstance(event, AcceptConnection):
                stream.sendall(connection.send(TextMessage(data="hello")))
            elif isinstance(event, TextMessage):
                return event.data


def tcp():
    stream = socket.create_connection((HOST, FIRST + 4), timeout=5)
    stream.sendall(b"hello\n")
    return stream.makefile().readline().strip()


def server_first():
    stream = socket.create_connection((HOST, FIRST + 5), timeout=5).makefile("rw")
    first = stream.readline().strip()
    stream.write("hello\n")
    stream.flush()
    return f"{first}, {stream.readline().strip()}"


answers = {}
for call in (http, rpc, web_socket, tcp, server_first):
    try:
        answers[call.__name__] = call()
    except Exception as error:
        answers[call.__name__] = repr(error)
print(json.dumps(answers))
