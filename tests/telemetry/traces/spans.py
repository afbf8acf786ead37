"""Spans for tests: what is not said is ordinary."""

from semafor.telemetry.traces.span import Span

NOW_US = 1_790_000_000_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def span(id_: int = 1, **said) -> Span:
    ordinary = {
        "trace": TRACE,
        "id": f"{id_:016x}",
        "parent": "",
        "service": "agent.demo",
        "name": "GET /ask",
        "kind": "server",
        "start_us": NOW_US,
        "duration_us": 1500,
        "failed": False,
        "attributes": {},
        "resource": {},
    }
    return Span(**{**ordinary, **said})


def chain(trace: int, *, start_us: int = NOW_US) -> list[Span]:
    """The agent's proxy calls the model's."""
    name = f"{trace:032x}"
    caller = span(1, trace=name, kind="client", start_us=start_us)
    return [caller, span(2, trace=name, parent=caller.id, service="model.demo", start_us=start_us + 200)]
