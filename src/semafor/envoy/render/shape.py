"""Spellings that protobuf wants and that recur in every part."""

from typing import Any, Final

from semafor.envoy.pool import Pool

Fields = dict[str, Any]
SOL_SOCKET: Final = 1  # Linux: <asm-generic/socket.h>
SO_MARK: Final = 36
_NANOS: Final = 1_000_000_000  # in a second


def wrap(value: bool | int) -> Fields:  # noqa: FBT001 a value to wrap, not a switch
    """A value in its google.protobuf wrapper, which can tell 0 from unset."""
    return {"value": value}


def seconds(value: float) -> Fields:
    """A google.protobuf.Duration, by its fields: the library takes four times as long for a timedelta."""
    whole, part = divmod(round(value * _NANOS), _NANOS)
    return {"seconds": whole, "nanos": part}


def percent(value: float) -> Fields:
    """A share, exact to a ten-thousandth of a per cent."""
    return {"numerator": round(value * 10_000), "denominator": "MILLION"}


def cidr(text: str) -> Fields:
    """A network (`10.0.0.0/8`), or an address alone."""
    address, _, bits = text.partition("/")
    return {"address_prefix": address, "prefix_len": wrap(int(bits) if bits else 128 if ":" in address else 32)}


def socket_address(address: str, port: int) -> Fields:
    return {"socket_address": {"address": address, "port_value": port}}


def pipe(path: str) -> Fields:
    return {"pipe": {"path": path}}


def typed(pool: Pool, name: str, type_name: str, **fields: Any) -> Fields:
    """An extension: the name that it is known by and its configuration."""
    return {"name": name, "typed_config": pool.any(pool(type_name, **fields)) if fields else pool.empty(type_name)}


def string_map(pairs: dict[str, str]) -> Fields:
    """A google.protobuf.Struct of texts, as the value of a map. (A field of that type takes a plain dict.)"""
    return {"fields": {key: {"string_value": value} for key, value in pairs.items()}}


def mark(value: int) -> Fields:
    """Socket options that set SO_MARK before connecting, which the rules of interception look for."""
    option = {"level": SOL_SOCKET, "name": SO_MARK, "int_value": value, "state": "STATE_PREBIND"}
    return {"socket_options": [option]}
