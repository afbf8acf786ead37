"""What a proxy has written of a request, read back with the format that its plan gave it.

An access log has any form that the mesh's owner likes; the plan knows which, so lines of every form can be read.
Source: Envoy's reference of access log formats.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from semafor.base.struct import Value
from semafor.ir import FileLog, HttpConnection, Listener, Plan

_COMMAND: Final = re.compile(r"%%|%(?P<name>[A-Z][A-Z0-9_]*)(?:\((?P<inner>.*?)\))?(?::\d+)?%")
_HEADER: Final = frozenset(("REQ", "REQUEST_HEADER"))
_FIELDS: Final[Mapping[str, str]] = {
    "START_TIME": "time",
    "RESPONSE_CODE": "status",
    "RESPONSE_FLAGS": "flags",
    "RESPONSE_CODE_DETAILS": "details",
    "UPSTREAM_TRANSPORT_FAILURE_REASON": "transport_failure",
    "DURATION": "duration_ms",
    "RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)": "upstream_ms",
    "UPSTREAM_HOST": "upstream_host",
    "UPSTREAM_REMOTE_ADDRESS": "upstream_host",
    "UPSTREAM_CLUSTER_RAW": "cluster",
    "UPSTREAM_CLUSTER": "cluster",
    "UPSTREAM_LOCAL_ADDRESS": "upstream_local",
    "UPSTREAM_REQUEST_ATTEMPT_COUNT": "attempts",
    "DOWNSTREAM_LOCAL_ADDRESS": "downstream_local",
    "DOWNSTREAM_REMOTE_ADDRESS": "downstream_remote",
    "DOWNSTREAM_PEER_URI_SAN": "peer",
    "REQUESTED_SERVER_NAME": "server_name",
    "ROUTE_NAME": "route",
    "PROTOCOL": "protocol",
    "TRACE_ID": "trace",
}
_NUMBERS: Final = frozenset(("status", "attempts"))
_ABSENT: Final = frozenset(("", "-"))


class Entry(Value):
    """One request as one proxy saw it. Empty texts and a `status` of 0 are what is not known or was not.

    `headers` are those of the request that the format names, pseudo-headers included. `logged` are the fields and
    headers that the format tells at all.
    """

    time: str = ""
    status: int = 0
    flags: tuple[str, ...] = ()
    details: str = ""
    transport_failure: str = ""
    duration_ms: str = ""
    upstream_ms: str = ""
    upstream_host: str = ""
    cluster: str = ""
    upstream_local: str = ""
    attempts: int = 0
    downstream_local: str = ""
    downstream_remote: str = ""
    peer: str = ""
    server_name: str = ""
    route: str = ""
    protocol: str = ""
    trace: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    logged: frozenset[str] = frozenset()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def method(self) -> str:
        return self.header(":method")

    @property
    def path(self) -> str:
        return self.header(":path") or "/"

    @property
    def authority(self) -> str:
        return self.header(":authority")

    @property
    def request_id(self) -> str:
        return self.header("x-request-id")

    @property
    def is_answered_upstream(self) -> bool:
        """Whether the answer is that of whom the proxy asked, and not its own."""
        return self.details == "via_upstream" or (not self.details and not self.flags and bool(self.upstream_host))


Reader = Callable[[str], Entry | None]


def formats(plan: Plan) -> tuple[FileLog, ...]:
    """The forms in which the proxy writes lines of requests."""
    found = (log.to for listener in plan.listeners for log in _logs(listener))
    return tuple(dict.fromkeys(to for to in found if isinstance(to, FileLog)))


def _logs(listener: Listener) -> Iterator[Any]:
    for chain in (*listener.chains, *((listener.default_chain,) if listener.default_chain else ())):
        if isinstance(chain.filter, HttpConnection):
            yield from chain.filter.logs


def reader(log: FileLog) -> Reader:
    """What reads a line of this form; it gives None for a line of another."""
    return _json_reader(log) if log.fields else _text_reader(log.text)


def read(readers: Iterable[Reader], line: str) -> Entry | None:
    """The entry of the first reader that understands the line."""
    return next((entry for each in readers if (entry := each(line)) is not None), None)


def _text_reader(text: str) -> Reader:
    pattern, commands, end = "", list[str](), 0
    for found in _COMMAND.finditer(text):
        pattern += re.escape(text[end : found.start()])
        end = found.end()
        if found["name"] is None:
            pattern += "%"
            continue
        commands.append(_command(found))
        pattern += "(.*?)"
    compiled = re.compile(pattern + re.escape(text[end:].rstrip("\n")))

    def read_line(line: str) -> Entry | None:
        match = compiled.fullmatch(line.rstrip("\n"))
        return _entry(zip(commands, match.groups(), strict=True)) if match else None

    return read_line


def _json_reader(log: FileLog) -> Reader:
    commands = {name: _whole(value) for name, value in log.fields}

    def read_line(line: str) -> Entry | None:
        try:
            found = json.loads(line)
        except ValueError:
            return None
        if not isinstance(found, dict) or not found.keys() <= commands.keys():
            return None
        told = ((commands[name], value) for name, value in found.items())
        return _entry((command, "" if value is None else str(value)) for command, value in told if command)

    return read_line


def _whole(value: str) -> str:
    """The command that the whole value is; empty where it is more, or less."""
    found = _COMMAND.fullmatch(value)
    return _command(found) if found and found["name"] else ""


def _command(found: re.Match[str]) -> str:
    name, inner = found["name"], found["inner"]
    if name in _HEADER:
        return f"REQ({inner})"
    return f"{name}({inner})" if inner and name == "RESP" else name


def _entry(told: Iterable[tuple[str, str]]) -> Entry:
    fields: dict[str, Any] = {}
    headers: dict[str, str] = {}
    logged = set[str]()
    for command, value in told:
        value = "" if value in _ABSENT else value  # noqa: PLW2901 - the same value, in our words
        if command.startswith("REQ("):
            for name in _header_names(command[4:-1]):
                logged.add(name)
                headers.update({name: value} if value else {})
        elif field := _FIELDS.get(command):
            logged.add(field)
            fields.setdefault(field, value)
    for field in _NUMBERS & fields.keys():
        fields[field] = int(fields[field]) if fields[field].isdigit() else 0
    if "flags" in fields:
        fields["flags"] = tuple(fields["flags"].split(",")) if fields["flags"] else ()
    return Entry(**fields, headers=tuple(headers.items()), logged=frozenset(logged))


def _header_names(inner: str) -> Iterator[str]:
    """`X-ENVOY-ORIGINAL-PATH?:PATH` is the path as the caller wrote it, whichever of the two it comes from."""
    first, _, second = inner.lower().partition("?")
    yield second or first
