"""The command line."""

from collections.abc import Iterator
from dataclasses import dataclass, field

# short, long, whether it takes a value, the attribute of Options ("" is accepted and has no effect)
TABLE = (
    ("A", "user-agent", True, "user_agent"),
    ("b", "cookie", True, "cookie"),
    ("d", "data", True, "data"),
    ("", "data-ascii", True, "data"),
    ("", "data-binary", True, "data_binary"),
    ("", "data-raw", True, "data_raw"),
    ("", "data-urlencode", True, "data_urlencode"),
    ("e", "referer", True, "referer"),
    ("f", "fail", False, "fail"),
    ("", "fail-with-body", False, "fail_with_body"),
    ("G", "get", False, "get"),
    ("H", "header", True, "headers"),
    ("I", "head", False, "head"),
    ("i", "include", False, "include"),
    ("", "show-headers", False, "include"),
    ("", "json", True, "json"),
    ("k", "insecure", False, "insecure"),
    ("L", "location", False, "location"),
    ("m", "max-time", True, "max_time"),
    ("", "max-redirs", True, "max_redirs"),
    ("", "connect-timeout", True, "connect_timeout"),
    ("", "cacert", True, "cacert"),
    ("E", "cert", True, "cert"),
    ("", "key", True, "key"),
    ("o", "output", True, "output"),
    ("O", "remote-name", False, "remote_name"),
    ("", "resolve", True, "resolve"),
    ("", "retry", True, "retry"),
    ("", "retry-delay", True, "retry_delay"),
    ("", "retry-connrefused", False, "retry_connrefused"),
    ("", "retry-all-errors", False, "retry_connrefused"),
    ("s", "silent", False, "silent"),
    ("S", "show-error", False, "show_error"),
    ("T", "upload-file", True, "upload"),
    ("u", "user", True, "user"),
    ("", "oauth2-bearer", True, "bearer"),
    ("", "unix-socket", True, "unix_socket"),
    ("", "url", True, "urls"),
    ("v", "verbose", False, "verbose"),
    ("w", "write-out", True, "write_out"),
    ("X", "request", True, "request"),
    ("4", "ipv4", False, "ipv4"),
    ("6", "ipv6", False, "ipv6"),
    ("N", "no-buffer", False, ""),
    ("#", "progress-bar", False, ""),
    ("", "no-progress-meter", False, ""),
    ("", "http1.1", False, ""),
    ("", "http2", False, ""),
    ("", "compressed", False, ""),
    ("", "noproxy", True, ""),
    ("g", "globoff", False, ""),
)
LISTS = ("data", "data_binary", "data_raw", "data_urlencode", "headers", "json", "resolve", "urls", "output")


@dataclass
class Options:
    """What the command line asks for; one attribute for each option of `TABLE`."""

    given: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in LISTS})
    body: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.given.get(name, "")

    def on(self, name: str) -> bool:
        return name in self.given

    def seconds(self, name: str, default: float) -> float:
        try:
            return float(self.given.get(name, default))
        except ValueError:
            raise CurlError(2, f"option --{name.replace('_', '-')}: expected a number") from None


class CurlError(Exception):
    """An error with curl's exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def known() -> Iterator[str]:
    for short, long, value, _ in TABLE:
        yield f"{f'-{short}/' if short else ''}--{long}{' X' if value else ''}"


def read(arguments: list[str], options: Options) -> None:
    """Fill the options from the command line. Raises CurlError 2."""
    rest = iter(arguments)
    for word in rest:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            _take(_row(1, name, word), [value] if equals else [], rest, options)
        elif word.startswith("-") and len(word) > 1:
            _read_short(word[1:], rest, options)
        else:
            options.lists["urls"].append(word)


def _read_short(letters: str, rest: Iterator[str], options: Options) -> None:
    """Several short options in one word; the first that takes a value takes the rest of the word."""
    for at, letter in enumerate(letters):
        row = _row(0, letter, f"-{letter}")
        if row[2]:
            after = letters[at + 1 :]
            _take(row, [after] if after else [], rest, options)
            return
        _take(row, [], rest, options)


def _row(column: int, name: str, shown: str) -> tuple[str, str, bool, str]:
    for row in TABLE:
        if name and row[column] == name:
            return row
    raise CurlError(2, f"option {shown}: is unknown to the small curl of this image; install curl on the machine")


def _take(row: tuple[str, str, bool, str], values: list[str], rest: Iterator[str], options: Options) -> None:
    _, long, wanted, name = row
    value = ""
    if wanted:
        value = values[0] if values else next(rest, "\0")
        if value == "\0":
            raise CurlError(2, f"option --{long}: requires parameter")
    options.given[name] = value
    if name in options.lists:
        options.lists[name].append(value)
    if name.startswith("data") or name == "json":
        options.body.append((name, value))
