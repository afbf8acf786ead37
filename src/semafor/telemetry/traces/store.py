"""The newest traces, in a file of their own: what is over the bound goes, oldest arrival first.

Arrival decides, not the spans' own times: a clock that jumps neither evicts the present nor makes the past stay.
To be used from one thread.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from semafor.base.struct import Value
from semafor.telemetry.traces.span import Event, Json, Kind, Span

MAX_SPANS: Final = 50_000  # some 60 MB on disk
MAX_SPANS_OF_TRACE: Final = 2_000  # a loop of calls must not push out everybody else's
_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS traces (id TEXT PRIMARY KEY, arrived INTEGER, spans INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS oldest ON traces (arrived);
CREATE TABLE IF NOT EXISTS spans (
  trace TEXT, id TEXT, parent TEXT, service TEXT, name TEXT, kind TEXT, start_us INTEGER, duration_us INTEGER,
  failed INTEGER, request_id TEXT, document BLOB, PRIMARY KEY (trace, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS newest ON spans (service, start_us);
CREATE INDEX IF NOT EXISTS requests ON spans (request_id) WHERE request_id != '';
"""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_COLUMNS: Final = "trace, id, parent, service, name, kind, start_us, duration_us, failed, document"


class Query(Value):
    """What one span of a wanted trace has to be. Times in microseconds; None and "" ask for nothing.

    `tags` are compared as texts with attributes of the span, of its process and of its events; `error` is one that
    every span has (`true` or `false`).
    """

    service: str = ""
    operation: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    since_us: int | None = None
    until_us: int | None = None
    min_us: int | None = None
    max_us: int | None = None
    limit: int = 20


class Call(Value):
    """How often one service called another."""

    caller: str
    callee: str
    count: int


class _Told(msgspec.Struct, array_like=True):
    """What of a span no query looks for by index."""

    attributes: Json
    resource: Json
    events: tuple[Event, ...]
    message: str


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Told)


class Store:
    """Raises sqlite3.Error when the file cannot be read or written (the disk is full, say); nothing is half written."""

    def __init__(self, connection: sqlite3.Connection, max_spans: int) -> None:
        self._db = connection
        self._max_spans = max_spans
        (self._spans,) = self._db.execute("SELECT coalesce(sum(spans), 0) FROM traces").fetchone()
        (self._arrived,) = self._db.execute("SELECT coalesce(max(arrived), 0) FROM traces").fetchone()

    @classmethod
    def open(cls, path: Path, *, max_spans: int = MAX_SPANS) -> "Store":
        """Open the file, or begin a new one; one that is no database of ours is put aside as `*.broken`."""
        try:
            return cls(_connected(path), max_spans)
        except sqlite3.DatabaseError:
            path.replace(path.with_suffix(".broken"))
            for leftover in (f"{path}-wal", f"{path}-shm"):
                Path(leftover).unlink(missing_ok=True)
            return cls(_connected(path), max_spans)

    def close(self) -> None:
        self._db.close()

    def __len__(self) -> int:
        """How many spans are kept."""
        return int(self._spans)

    def add(self, spans: Iterable[Span]) -> int:
        """Keep the spans, at the expense of the oldest traces; return how many were new and kept."""
        with self._db:
            kept = sum(self._add(span) for span in spans)
            self._spans += kept
            self._evict()
        return kept

    def _add(self, span: Span) -> bool:
        row = self._db.execute("SELECT spans FROM traces WHERE id = ?", (span.trace,)).fetchone()
        if row is None:
            self._arrived += 1
            self._db.execute("INSERT INTO traces VALUES (?, ?, 0)", (span.trace, self._arrived))
        elif row[0] >= MAX_SPANS_OF_TRACE:
            return False
        inserted = self._db.execute("INSERT OR IGNORE INTO spans VALUES (?,?,?,?,?,?,?,?,?,?,?)", _row(span)).rowcount
        self._db.execute("UPDATE traces SET spans = spans + ? WHERE id = ?", (inserted, span.trace))
        return inserted == 1

    def _evict(self) -> None:
        while self._spans > self._max_spans:
            trace, spans = self._db.execute("SELECT id, spans FROM traces ORDER BY arrived LIMIT 1").fetchone()
            self._db.execute("DELETE FROM spans WHERE trace = ?", (trace,))
            self._db.execute("DELETE FROM traces WHERE id = ?", (trace,))
            self._spans -= spans

    def trace(self, id_: str) -> tuple[Span, ...]:
        """The spans of a trace, by their start; empty when there is none. `id_` is its id, or a request's id."""
        found = self._spans_of(id_.lower().zfill(32))
        if not found:
            select = "SELECT trace FROM spans WHERE request_id = ? LIMIT 1"
            row = self._db.execute(select, (_request(id_),)).fetchone()
            found = self._spans_of(row[0]) if row else ()
        return found

    def _spans_of(self, trace: str) -> tuple[Span, ...]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM spans WHERE trace = ? ORDER BY start_us", (trace,))  # noqa: S608 - a constant
        return tuple(_span(row) for row in rows)

    def search(self, query: Query) -> list[tuple[Span, ...]]:
        """The traces that have a span like that, newest first."""
        traces: dict[str, None] = {}
        for span in self._matching(query):
            traces[span.trace] = None
            if len(traces) >= query.limit:
                break
        return [self._spans_of(trace) for trace in traces]

    def _matching(self, query: Query) -> Iterator[Span]:
        asked = (
            ("service = ?", query.service or None),
            ("name = ?", query.operation or None),
            ("start_us >= ?", query.since_us),
            ("start_us <= ?", query.until_us),
            ("duration_us >= ?", query.min_us),
            ("duration_us <= ?", query.max_us),
        )
        conditions = [(text, value) for text, value in asked if value is not None]
        where = " AND ".join(text for text, _ in conditions) or "1"
        select = f"SELECT {_COLUMNS} FROM spans WHERE {where} ORDER BY start_us DESC"  # noqa: S608 - constants, values are bound
        for row in self._db.execute(select, [value for _, value in conditions]):
            span = _span(row)
            if all(_has(span, key, wanted) for key, wanted in query.tags):
                yield span

    def services(self) -> list[str]:
        return [name for (name,) in self._db.execute("SELECT DISTINCT service FROM spans ORDER BY service")]

    def operations(self, service: str, kind: str = "") -> list[tuple[str, Kind]]:
        """Names and kinds of what a service did; of all kinds when `kind` is ""."""
        rows = self._db.execute(
            "SELECT DISTINCT name, kind FROM spans WHERE service = ? AND (? = '' OR kind = ?) ORDER BY name, kind",
            (service, kind, kind),
        )
        return rows.fetchall()

    def calls(self, since_us: int, until_us: int) -> list[Call]:
        """Who called whom in that time: a span whose parent is another service's."""
        rows = self._db.execute(
            "SELECT parent.service, child.service, count(*) FROM spans AS child"
            " JOIN spans AS parent ON parent.trace = child.trace AND parent.id = child.parent"
            " WHERE child.start_us BETWEEN ? AND ? AND parent.service != child.service"
            " GROUP BY 1, 2 ORDER BY 1, 2",
            (since_us, until_us),
        )
        return [Call(*row) for row in rows]


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.executescript(_SCHEMA)
    path.chmod(0o600)
    return connection


def _row(span: Span) -> Sequence[str | int | bytes]:
    told = _ENCODER.encode(_Told(span.attributes, span.resource, span.events, span.message))
    own = (span.trace, span.id, span.parent, span.service, span.name, span.kind, span.start_us, span.duration_us)
    return (*own, int(span.failed), _request(span.request_id), told)


def _request(id_: str) -> str:
    """The request's id as its caller knows it: Envoy writes into the version of a UUID why the request is traced."""
    return f"{id_[:14]}4{id_[15:]}" if _UUID.fullmatch(id_) else id_


def _span(row: Sequence[Any]) -> Span:
    trace, id_, parent, service, name, kind, start_us, duration_us, failed, document = row
    told = _DECODER.decode(document)
    return Span(
        trace=trace,
        id=id_,
        parent=parent,
        service=service,
        name=name,
        kind=kind,
        start_us=start_us,
        duration_us=duration_us,
        failed=bool(failed),
        attributes=told.attributes,
        resource=told.resource,
        events=told.events,
        message=told.message,
    )


def _has(span: Span, key: str, wanted: str) -> bool:
    if key == "error" and key not in span.attributes:
        return wanted == ("true" if span.failed else "false")
    places: tuple[Mapping[str, object], ...] = (
        span.attributes,
        span.resource,
        *(each.attributes for each in span.events),
    )
    return any(key in place and text(place[key]) == wanted for place in places)


def text(value: object) -> str:
    """An attribute's value as people write it in a query."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
