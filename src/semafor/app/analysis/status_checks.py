"""What the status of an object itself says no to. Source: Istio's message IST0171."""

from collections.abc import Iterator
from typing import Any

from semafor.app.analysis import codes
from semafor.app.analysis.message import Message
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import told

Doc = dict[str, Any]

_CONDITIONS = frozenset(("Accepted", "Programmed", "ResolvedRefs"))


def messages(source: Source) -> Iterator[Message]:
    """Conditions of the Gateway API that are false, of a Gateway, its listeners, and what a route is to its parents."""
    if not str(source.document["apiVersion"]).startswith("gateway.networking.k8s.io/"):
        return
    status = source.document.get("status") or {}
    yield from _negative(source, status, "status")
    for field in ("parents", "listeners"):
        for index, each in enumerate(status.get(field) or ()):
            yield from _negative(source, each, f"status.{field}[{index}]")


def _negative(source: Source, holder: Doc, at: str) -> Iterator[Message]:
    for index, each in enumerate(holder.get("conditions") or ()):
        if each.get("type") in _CONDITIONS and each.get("status") == "False":
            text = f"{each['type']} is false, {each.get('reason', '')}: {each.get('message', '')}"
            yield told(source, codes.BAD_STATUS, "Warning", f"{at}.conditions[{index}]", text)
