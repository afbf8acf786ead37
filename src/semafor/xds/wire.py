"""The two messages of delta xDS as bytes: requests are parsed by hand, responses are joined from frames.

Reading six fields takes no schema, so this package needs no protobuf library.
Source: envoy/service/discovery/v3/discovery.proto; protobuf's encoding guide.
"""

from collections.abc import Iterable

from semafor.base import protobuf, xds
from semafor.base.struct import Value


class ProtocolError(Exception):
    """A proxy does not keep to the protocol. Its stream ends with this message; others never notice."""


class Request(Value):
    """A DeltaDiscoveryRequest. `error` is the text of a refusal, None for an acknowledgement or a subscription."""

    type_url: str = ""
    node_id: str = ""
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    initial_versions: tuple[tuple[str, str], ...] = ()
    nonce: str = ""
    error: str | None = None


def parse(raw: bytes) -> Request:
    """Raises ProtocolError when `raw` is not a DeltaDiscoveryRequest."""
    try:
        return _parse(raw)
    except protobuf.MalformedError as error:
        raise ProtocolError(str(error)) from None


def _parse(raw: bytes) -> Request:
    subscribe, unsubscribe, initial = list[str](), list[str](), list[tuple[str, str]]()
    one: dict[int, bytes] = {}
    for number, value in protobuf.fields(raw):
        match number:
            case 3:
                subscribe.append(_text(value))
            case 4:
                unsubscribe.append(_text(value))
            case 5:
                entry = dict(protobuf.fields(value))
                initial.append((_text(entry.get(1, b"")), _text(entry.get(2, b""))))
            case _:
                one[number] = value
    return Request(
        type_url=_text(one.get(2, b"")),
        node_id=_text(dict(protobuf.fields(one.get(1, b""))).get(1, b"")),
        subscribe=tuple(subscribe),
        unsubscribe=tuple(unsubscribe),
        initial_versions=tuple(initial),
        nonce=_text(one.get(6, b"")),
        error=_error(one.get(7)),
    )


def response(
    type_url: str, nonce: str, generation: int, resources: Iterable[xds.Resource], removed: Iterable[str]
) -> bytes:
    """A DeltaDiscoveryResponse. The generation is only there for people who look at Envoy's /config_dump."""
    parts = [protobuf.delimited(1, str(generation).encode())]
    parts += [resource.frame for resource in resources]
    parts += [protobuf.delimited(4, type_url.encode()), protobuf.delimited(5, nonce.encode())]
    parts += [protobuf.delimited(6, name.encode()) for name in removed]
    return b"".join(parts)


def _error(status: bytes | None) -> str | None:
    if status is None:
        return None
    return _text(dict(protobuf.fields(status)).get(2, b"")) or "refused without a reason"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
