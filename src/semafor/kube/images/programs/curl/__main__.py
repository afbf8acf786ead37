"""Fetch, follow, retry, and write what came."""

# A program of its own: it prints, and pathlib would slow its start.
# ruff: noqa: PTH123, T201

import contextlib
import http.client
import json
import re
import sys
import time
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote, urljoin, urlsplit

from . import body as sent
from . import connection as link
from .body import VERSION
from .connection import Times
from .options import CurlError, Options, known, read


def main(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("Usage: curl [options...] <url>\nThe small curl of this image knows: " + ", ".join(known()))
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        print(f"curl {VERSION} (semafor)\nProtocols: http https")
        return 0
    options = Options()
    code = 0
    try:
        read(arguments, options)
        if not options.lists["urls"]:
            raise CurlError(2, "no URL specified")
    except CurlError as error:
        print(f"curl: ({error.code}) {error}\ncurl: try 'curl --help' for more information", file=sys.stderr)
        return error.code
    for number, url in enumerate(options.lists["urls"]):
        code = transfer(url, number, options)
    return code


def transfer(url: str, number: int, options: Options) -> int:
    """Fetch one URL, with retries; curl's exit code."""
    tries = int(options.seconds("retry", 0)) + 1
    delay = options.seconds("retry_delay", 1)
    for attempt in range(tries):
        times = Times(url=url)
        code, message = _attempt(url, number, options, times)
        last = attempt == tries - 1
        if last or not _worth_retrying(code, times.code, options):
            break
        _complain(options, f"Warning: Problem {message or times.code}. Will retry in {delay:g} seconds.", 0)
        time.sleep(delay)
        delay = options.seconds("retry_delay", min(delay * 2, 600))
    if code and message:
        _complain(options, message, code)
    _write_out(options, times, code)
    return code


def _attempt(url: str, number: int, options: Options, times: Times) -> tuple[int, str]:
    try:
        _follow(url, number, options, times)
    except CurlError as error:
        times.total = times.now()
        return error.code, str(error)
    times.total = times.now()
    return 0, ""


def _worth_retrying(code: int, status: int, options: Options) -> bool:
    if code == 7:
        return options.on("retry_connrefused")
    return code in (6, 28, 52, 56) or status in (408, 429, 500, 502, 503, 504)


def _complain(options: Options, message: str, code: int) -> None:
    if not options.on("silent") or options.on("show_error"):
        print(f"curl: ({code}) {message}" if code else message, file=sys.stderr)


def _follow(url: str, number: int, options: Options, times: Times) -> None:
    """Make the request, and those that redirects ask for."""
    method, body = sent.method(options), sent.body(options)
    if options.on("get") and body:
        url = f"{url}{'&' if '?' in url else '?'}{body.decode()}"
        body = None
    while True:
        times.url, times.method = url, method
        with link.connect(url, options, times) as connection:
            response = _request(connection, url, method, body, options, times)
            location = response.getheader("Location")
            if not (options.on("location") and location and 300 <= response.status < 400):
                times.redirect_url = urljoin(url, location) if location else ""
                _deliver(response, number, options, times)
                return
            response.read()
        times.redirects += 1
        if times.redirects > int(options.seconds("max_redirs", 50)):
            raise CurlError(47, f"Maximum ({times.redirects - 1}) redirects followed")
        if response.status == 303 or (response.status in (301, 302) and method == "POST" and not options.on("request")):
            method, body = "GET", None
        url = urljoin(url, location)


def _request(
    connection: http.client.HTTPConnection, url: str, method: str, body: bytes | None, options: Options, times: Times
) -> http.client.HTTPResponse:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{parts.query}" if parts.query else "")
    headers = sent.headers(url, options, body)
    link.trace(
        options, f"> {method} {target} HTTP/1.1", *(f"> {name}: {value}" for name, value in headers.items()), ">"
    )
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
    except TimeoutError:
        raise CurlError(
            28, f"Operation timed out after {times.now() * 1000:.0f} milliseconds with 0 bytes received"
        ) from None
    except (http.client.BadStatusLine, http.client.RemoteDisconnected):
        raise CurlError(52, "Empty reply from server") from None
    except OSError as error:
        raise CurlError(56, f"Recv failure: {error.strerror or error}") from None
    times.starttransfer = times.now()
    times.code, times.content_type = response.status, response.getheader("Content-Type") or ""
    times.version = "1.1" if response.version == 11 else "1"
    link.trace(options, *(f"< {line}" for line in _head(response)), "<")
    return response


def _head(response: http.client.HTTPResponse) -> Iterator[str]:
    yield f"HTTP/{'1.1' if response.version == 11 else '1.0'} {response.status} {response.reason}"
    for name, value in response.getheaders():
        yield f"{name}: {value}"


def _deliver(response: http.client.HTTPResponse, number: int, options: Options, times: Times) -> None:
    """Write the answer where it is wanted."""
    failed = response.status >= 400
    if failed and options.on("fail"):
        raise CurlError(22, f"The requested URL returned error: {response.status}")
    with _target(number, options, times.url) as stream:
        if options.on("include") or options.on("head"):
            stream.write("".join(f"{line}\r\n" for line in (*_head(response), "")).encode())
        try:
            while chunk := response.read1(65536):
                stream.write(chunk)
                stream.flush()
                times.size += len(chunk)
                response_left = link.left(options, times)
                if response.fp and getattr(response.fp, "raw", None):
                    response.fp.raw._sock.settimeout(response_left)  # type: ignore[attr-defined]  # noqa: SLF001
        except TimeoutError:
            shown = f"{times.now() * 1000:.0f} milliseconds with {times.size} bytes received"
            raise CurlError(28, f"Operation timed out after {shown}") from None
        except http.client.IncompleteRead:
            raise CurlError(18, "transfer closed with outstanding read data remaining") from None
        except BrokenPipeError:
            raise CurlError(23, "Failure writing output to destination") from None
        except OSError as error:
            raise CurlError(56, f"Recv failure: {error.strerror or error}") from None
    if failed and options.on("fail_with_body"):
        raise CurlError(22, f"The requested URL returned error: {response.status}")


@contextlib.contextmanager
def _target(number: int, options: Options, url: str) -> Iterator[IO[bytes]]:
    outputs = options.lists["output"]
    path = outputs[number] if number < len(outputs) else ""
    if options.on("remote_name") and not path:
        path = urlsplit(url).path.rpartition("/")[2]
        if not path:
            raise CurlError(23, "Remote file name has no length")
    if path in ("", "-"):
        yield sys.stdout.buffer
        return
    try:
        with open(path, "wb") as stream:
            yield stream
    except OSError as error:
        raise CurlError(23, f"Failure writing output to destination {path}: {error.strerror}") from None


def _write_out(options: Options, times: Times, code: int) -> None:
    if not options.on("write_out"):
        return
    text = options.get("write_out")
    if text.startswith("@"):
        text = sent.file(text[1:]).decode()
    values = _values(times, code)
    text = re.sub(r"\\([nrt])", lambda found: {"n": "\n", "r": "\r", "t": "\t"}[found[1]], text)
    text = re.sub(r"%\{(\w+)\}", lambda found: str(values.get(found[1], "")), text).replace("%%", "%")
    sys.stdout.flush()
    sys.stdout.write(text)
    sys.stdout.flush()


def _values(times: Times, code: int) -> dict[str, object]:
    values: dict[str, object] = {
        "http_code": f"{times.code:03d}",
        "response_code": f"{times.code:03d}",
        "http_version": times.version,
        "content_type": times.content_type,
        "size_download": times.size,
        "num_redirects": times.redirects,
        "redirect_url": times.redirect_url,
        "url_effective": times.url if urlsplit(times.url).path else f"{times.url}/",
        "url": times.url,
        "method": times.method,
        "remote_ip": times.remote[0],
        "remote_port": times.remote[1],
        "exitcode": code,
        "speed_download": int(times.size / times.total) if times.total else 0,
    }
    for name in ("namelookup", "connect", "appconnect", "starttransfer", "total"):
        values[f"time_{name}"] = f"{getattr(times, name):.6f}"
    values["json"] = json.dumps({name: value for name, value in values.items() if value != ""})
    return values


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
