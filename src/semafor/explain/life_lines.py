"""The life of a request as lines of text, for people."""

from collections.abc import Iterator

from semafor.explain import lines
from semafor.explain.entry import Entry
from semafor.explain.life import Attempt, Hop, Life

_INDENT = "  "


def of_life(life: Life) -> Iterator[str]:
    """What came of it first, then from hop to hop."""
    yield f"{life.request}  request {life.id}" + (f", trace {life.trace}" if life.trace else "")
    yield f"{life.verdict}: {life.status or 'no answer'}"
    if life.cause:
        yield f"why       {life.cause}"
    if life.mend:
        yield f"mend      {life.mend}"
    for hop in life.hops:
        yield ""
        yield from _hop(hop)


def _hop(hop: Hop) -> Iterator[str]:
    if hop.entry is None or hop.way is None:
        yield f"caller    {hop.caller}  no proxy of it has written of the request"
    else:
        yield f"{'gateway' if hop.way.entrance else 'caller':9} {hop.caller}"
        yield _INDENT + _wrote(hop.entry)
        yield from (_INDENT + line for line in lines.of_way(hop.way))
        for each in hop.maybe:
            yield f"{_INDENT}or        {each.rule or each.name}: {each.reason}"
        if hop.instance:
            yield f"{_INDENT}chosen    {hop.instance}"
        if hop.note:
            yield f"{_INDENT}note      {hop.note}"
    for number, attempt in enumerate(hop.attempts, 1):
        yield from _attempt(attempt, f"attempt {number} of {len(hop.attempts)}" if len(hop.attempts) > 1 else "")


def _attempt(attempt: Attempt, number: str) -> Iterator[str]:
    yield f"callee    {attempt.workload}" + (f"  {number}" if number else "")
    yield _INDENT + _wrote(attempt.entry)
    if attempt.arrival is not None:
        yield from (_INDENT + line for line in lines.inside_arrival(attempt.arrival))


def _wrote(entry: Entry) -> str:
    parts = [entry.time, f"{entry.status or 'no answer'}", " ".join(entry.flags), entry.details]
    if entry.duration_ms:
        callee = f", {entry.upstream_ms} ms of them the callee" if entry.upstream_ms else ""
        parts.append(f"in {entry.duration_ms} ms{callee}")
    return "wrote     " + "  ".join(part for part in parts if part)
