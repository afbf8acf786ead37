"""A small netcat, as BusyBox's: standard input goes to a peer, what the peer says comes out.

`nc HOST PORT`, `nc -l PORT`. At the end of its input it closes its own half and reads on until the peer has closed too.
"""

# A program of its own.
# ruff: noqa: T201

import argparse
import contextlib
import os
import socket
import sys
import threading


def main(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        peer = _accept(options) if options.listen else _connect(options)
    except OSError as error:
        return _fail(options, error)
    with peer:
        if options.scan:
            return 0
        threading.Thread(target=_send, args=(peer,), daemon=True).start()
        return _receive(peer)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nc", description="The small netcat of this image: TCP only.")
    parser.add_argument("-l", dest="listen", action="store_true", help="wait for one connection")
    parser.add_argument("-p", dest="port", type=int, metavar="PORT", help="the port to wait at")
    parser.add_argument("-z", dest="scan", action="store_true", help="only see whether the port answers")
    parser.add_argument("-v", dest="verbose", action="store_true", help="say what happens")
    parser.add_argument("-n", dest="numeric", action="store_true", help="HOST is an address")
    parser.add_argument(
        "-w", dest="wait", type=float, metavar="SECONDS", help="give up after so long without an answer"
    )
    parser.add_argument("where", nargs="*", metavar="HOST PORT")
    return parser


def _connect(options: argparse.Namespace) -> socket.socket:
    if len(options.where) != 2:
        raise OSError("a host and a port are needed")
    host, port = options.where
    peer = socket.create_connection((host, int(port)), options.wait)
    if options.verbose:
        print(f"{host} ({peer.getpeername()[0]}:{port}) open", file=sys.stderr)
    return peer


def _accept(options: argparse.Namespace) -> socket.socket:
    port = options.port or int(options.where[-1] if options.where else 0)
    with socket.create_server(("", port)) as server:
        server.settimeout(options.wait)
        return server.accept()[0]


def _fail(options: argparse.Namespace, error: OSError) -> int:
    if options.verbose or not options.scan:
        print(f"nc: {' '.join(options.where)}: {error.strerror or error}", file=sys.stderr)
    return 1


def _send(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := os.read(0, 65536):
            peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)


def _receive(peer: socket.socket) -> int:
    try:
        while data := peer.recv(65536):
            os.write(1, data)
    except OSError as error:
        print(f"nc: read: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
