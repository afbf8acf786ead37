"""What is sent: the method, the headers, the body."""

# A program of its own: pathlib would slow its start.
# ruff: noqa: PTH123

import base64
import re
import sys
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from .options import CurlError, Options

VERSION = "8.0.0"


def method(options: Options) -> str:
    if options.on("request"):
        return options.get("request")
    if options.on("head"):
        return "HEAD"
    if options.on("upload"):
        return "PUT"
    return "POST" if options.body and not options.on("get") else "GET"


def body(options: Options) -> bytes | None:
    if options.on("upload"):
        return file(options.get("upload"))
    if not options.body:
        return None
    pieces = [_READERS[name](value) for name, value in options.body]
    return b"".join(pieces) if options.lists["json"] else b"&".join(pieces)


def _data(value: str) -> bytes:
    return re.sub(rb"[\r\n]", b"", file(value[1:])) if value.startswith("@") else value.encode()


def _data_binary(value: str) -> bytes:
    return file(value[1:]) if value.startswith("@") else value.encode()


def _data_urlencode(value: str) -> bytes:
    name, equals, content = value.partition("=")
    if equals:
        return f"{name}{'=' if name else ''}{quote(content, safe='')}".encode()
    name, at, path = value.partition("@")
    return f"{name}={quote(file(path), safe='')}".encode() if at else quote(value, safe="").encode()


_READERS: dict[str, Callable[[str], bytes]] = {
    "data": _data,
    "data_binary": _data_binary,
    "data_raw": str.encode,
    "data_urlencode": _data_urlencode,
    "json": _data_binary,
}


def file(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise CurlError(26, f"Failed to open {path}: {error.strerror}") from None


def headers(url: str, options: Options, body: bytes | None) -> dict[str, str]:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    found = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": f"curl/{VERSION}", "Accept": "*/*"}
    user = options.get("user") or parts.netloc.rpartition("@")[0]
    if user:
        found["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    if options.on("bearer"):
        found["Authorization"] = f"Bearer {options.get('bearer')}"
    named = (("User-Agent", "user_agent"), ("Referer", "referer"), ("Cookie", "cookie"))
    found |= {name: options.get(option) for name, option in named if options.on(option)}
    if body is not None:
        found["Content-Length"] = str(len(body))
        if options.lists["json"]:
            found |= {"Content-Type": "application/json", "Accept": "application/json"}
        elif options.body:
            found["Content-Type"] = "application/x-www-form-urlencoded"
    return _changed(found, options.lists["headers"])


def _changed(headers: dict[str, str], given: list[str]) -> dict[str, str]:
    """-H replaces a header of the same name; `name:` removes it, `name;` makes it empty."""
    for line in given:
        name, colon, value = line.partition(":")
        if not colon:
            name, value = line.rstrip(";"), ""
        elif not value.strip():
            headers = {known: text for known, text in headers.items() if known.lower() != name.lower()}
            continue
        headers = {known: text for known, text in headers.items() if known.lower() != name.lower()}
        headers[name] = value.strip()
    return headers
