"""The real kubectl, in both dialects."""

import contextlib
import fcntl
import hashlib
import os
import pty
import re
import select
import signal
import socket
import struct
import termios
import threading
import time

import pytest

MB = 1024 * 1024


def outcome(result):
    return result.stdout, result.stderr, result.returncode


def test_exec_runs_a_command(kubectl):
    assert outcome(kubectl("exec", "web", "--", "echo", "hello")) == (b"hello\n", b"", 0)


def test_exec_keeps_stdout_and_stderr_apart_and_the_exit_code(kubectl):
    result = kubectl("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.stdout, result.returncode) == (b"out\n", 3)
    assert result.stderr == b"err\ncommand terminated with exit code 3\n"


def test_exec_sends_the_end_of_stdin(kubectl):
    assert outcome(kubectl("exec", "-i", "web", "--", "wc", "-c", stdin=b"12345")) == (b"5\n", b"", 0)


def test_exec_moves_ten_megabytes_both_ways(kubectl):
    data = os.urandom(10 * MB)
    assert outcome(kubectl("exec", "-i", "web", "--", "cat", stdin=data)) == (data, b"", 0)


def test_exec_does_not_wait_for_stdin_that_nobody_reads(kubectl, server):
    assert kubectl("exec", "-i", "web", "--", "true", stdin=b"x" * 5 * MB).returncode == 0
    wait_for(lambda: not server.uvicorn.server_state.tasks, timeout_s=5)


def test_exec_of_a_missing_program_says_so(kubectl):
    result = kubectl("exec", "web", "--", "missing")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b'exec: "missing": executable file not found in $PATH' in result.stderr


def test_exec_needs_the_name_of_one_of_several_containers(kubectl):
    result = kubectl("exec", "two", "-c", "nope", "--", "true")
    assert b"container nope is not valid for pod two" in result.stderr


def test_exec_needs_a_node(kubectl):
    assert b"pod new does not have a host assigned" in kubectl("exec", "new", "--", "true").stderr


def test_exec_on_a_terminal_knows_its_size(kubectl):
    with Terminal(kubectl, "exec", "-it", "web", "--", "sh", rows=30, cols=100) as terminal:
        # kubectl tells the size once it is connected, which the shell may be before it
        terminal.send("until stty size | grep -q '30 100'; do sleep 0.05; done; tty\n")
        terminal.until(rb"/dev/pts/\d+\r\n")
        terminal.resize(41, 132)
        terminal.send("until stty size | grep -q '41 132'; do sleep 0.05; done; echo re''sized\n")
        terminal.until(b"resized")
        terminal.send("exit 7\n")
        assert terminal.wait() == 7


def test_a_client_that_goes_away_kills_nothing(kubectl, node, tmp_path):
    done = tmp_path / "done"
    process = kubectl.start("exec", "-i", "web", "--", "sh", "-c", f"echo up; cat; yes | head -c {MB}; touch {done}")
    process.stdout.read(3)
    process.kill()
    process.communicate()
    wait_for(done.exists)


def test_a_client_that_does_not_read_slows_the_process(kubectl, tmp_path):
    counter = tmp_path / "counter"
    script = f"while :; do head -c 65536 /dev/zero; echo -n . >> {counter}; done"
    process = kubectl.start("exec", "web", "--", "sh", "-c", script)
    wait_for(counter.exists)
    assert settled(lambda: counter.stat().st_size) * 65536 < 32 * MB
    process.kill()
    process.communicate()


def test_a_process_that_does_not_read_slows_the_client(kubectl):
    process = kubectl.start("exec", "-i", "web", "--", "sleep", "60")
    sent = [0]

    def send():
        with contextlib.suppress(OSError):
            while True:
                sent[0] += os.write(process.stdin.fileno(), bytes(65536))

    sending = threading.Thread(target=send)
    sending.start()
    wait_for(lambda: sent[0])
    assert settled(lambda: sent[0]) < 32 * MB
    process.kill()
    sending.join(10)
    process.communicate()


def test_attach_joins_the_container_and_leaves_its_exit_code_to_the_status(kubectl, node, server):
    node.processes.append(server.call(node.pipes(["sh", "-c", "read line; echo got $line; exit 4"])))
    result = kubectl("attach", "-i", "web", stdin=b"word\n")
    assert (result.stdout, result.returncode) == (b"got word\n", 0)


def test_leaving_an_attached_container_lets_it_run(kubectl, node, server):
    node.processes.append(server.call(node.pipes(["sh", "-c", "while echo tick; do sleep 0.05; done"])))
    process = kubectl.start("attach", "web")
    process.stdout.read(5)
    process.kill()
    process.communicate()
    assert node.processes[0].process.returncode is None
    assert kubectl("exec", "web", "--", "echo", "alive").stdout == b"alive\n"


def test_attach_to_what_does_not_run_says_so(kubectl):
    assert b'container "app" is not running' in kubectl("attach", "web").stderr


def test_cp_takes_folders_both_ways(kubectl, tmp_path):
    source, there, back = tmp_path / "source", tmp_path / "there", tmp_path / "back"
    source.mkdir()
    there.mkdir()
    (source / "big").write_bytes(os.urandom(3 * MB))
    (source / "small").write_text("x")
    assert kubectl("cp", str(source), f"web:{there}/copy").returncode == 0
    assert kubectl("cp", f"web:{there}/copy", str(back)).returncode == 0
    assert {each.name: each.read_bytes() for each in back.iterdir()} == {
        each.name: each.read_bytes() for each in source.iterdir()
    }


def test_logs_are_followed(kubectl, node, server):
    process = kubectl.start("logs", "-f", "--tail=2", "--timestamps", "web")
    assert process.stdout.readline() == b"one\n"
    server.loop.call_soon_threadsafe(node.more.put_nowait, b"later\n")
    assert [process.stdout.readline() for _ in range(3)] == [b"two\n", b"three\n", b"later\n"]
    server.loop.call_soon_threadsafe(node.more.put_nowait, b"")
    assert (process.wait(10), node.asked["tail"], node.asked["timestamps"]) == (0, 2, True)
    process.communicate()


def test_logs_of_a_waiting_container_say_why(kubectl):
    result = kubectl("logs", "two", "-c", "waiting")
    assert b'container "waiting" in pod "two"' in result.stderr or b"is waiting to start" in result.stderr
    assert result.returncode == 1


def test_port_forward_carries_many_connections_at_once(kubectl):
    with Echo() as echo, Forward(kubectl, echo.port) as forward:
        results = in_parallel(8, lambda number: forward.ask(bytes([number]) * (2 * MB + number)))
        assert results == [bytes([number]) * (2 * MB + number) for number in range(8)]


def test_port_forward_moves_fifty_megabytes(kubectl):
    data = os.urandom(MB) * 50
    with Echo() as echo, Forward(kubectl, echo.port) as forward:
        assert hashlib.sha256(forward.ask(data)).digest() == hashlib.sha256(data).digest()


def test_port_forward_goes_on_after_a_connection_ends(kubectl):
    with Echo() as echo, Forward(kubectl, echo.port) as forward:
        assert [forward.ask(word) for word in (b"one", b"two", b"three")] == [b"one", b"two", b"three"]


def test_port_forward_to_a_closed_port_says_so(kubectl):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with Forward(kubectl, port) as forward:
        with contextlib.suppress(OSError):
            forward.ask(b"x")
        assert b"failed to connect to localhost" in forward.error()


class Terminal:
    """kubectl on a terminal of its own."""

    def __init__(self, kubectl, *argv, rows, cols):
        self.master, slave = pty.openpty()
        self.resize(rows, cols)
        self.process = kubectl.start(
            *argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=take_terminal
        )
        os.close(slave)
        self.seen = b""

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode())

    def until(self, pattern):
        deadline = time.monotonic() + 20
        while not re.search(pattern, self.seen):
            assert select.select([self.master], [], [], deadline - time.monotonic())[0], self.seen
            self.seen += os.read(self.master, 65536)
        return self.seen

    def wait(self):
        with contextlib.suppress(OSError):
            while os.read(self.master, 65536):
                pass
        return self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(20)
        os.close(self.master)


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Echo:
    """A server that sends back everything, then ends."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    def echo(self, connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


class Forward:
    """kubectl port-forward, and a way to ask through it."""

    def __init__(self, kubectl, port):
        self.process = kubectl.start("port-forward", "web", f":{port}")
        line = self.process.stdout.readline()
        self.port = int(re.search(rb"127\.0\.0\.1:(\d+)", line).group(1))

    def ask(self, data):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            sending = threading.Thread(target=self.send, args=(connection, data))
            sending.start()
            answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
            sending.join(60)
            return answer

    def send(self, connection, data):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    def error(self):
        return self.process.stderr.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)


def in_parallel(count, ask):
    results = [None] * count

    def run(number):
        results[number] = ask(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def wait_for(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def settled(value, still_s=0.4):
    """The value, once it has not changed for a while."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < still_s:
        time.sleep(0.02)
        if value() != last:
            last, since = value(), time.monotonic()
    return last


pytestmark = [pytest.mark.timeout(120), pytest.mark.machine]
