"""What Go's library writes and reads, where the originals' users see it."""

import re

_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """A duration such as `1m30s` or `100ms`. Raises ValueError."""
    parts = _PART.findall(text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text.lstrip("+")):
        raise ValueError(f'time: invalid duration "{text}"')
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)


def header_name(name: str) -> str:
    """A header's name as Go keeps it: `X-Request-Id`."""
    return "-".join(word[:1].upper() + word[1:].lower() for word in name.split("-"))


def by_name(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers by their names; those of one name stay in their order."""
    return sorted(((header_name(name), value) for name, value in headers), key=lambda pair: pair[0])


def cipher_name(openssl: str) -> str:
    """A cipher suite's registered name, from OpenSSL's."""
    if openssl.startswith("TLS_"):
        return openssl
    exchange, _, rest = openssl.partition("-AES")
    if not rest:
        exchange, _, _ = openssl.partition("-CHACHA20")
        return f"TLS_{exchange.replace('-', '_')}_WITH_CHACHA20_POLY1305_SHA256"
    bits, _, mode = rest.partition("-")
    mode = mode.replace("-", "_") if "GCM" in mode else f"CBC_{mode}"
    return f"TLS_{exchange.replace('-', '_')}_WITH_AES_{bits}_{mode}"
