"""A small wget: fetch a page into a file or onto the terminal. Options it does not know are refused by name.

Source of options and exit codes: https://www.gnu.org/software/wget/manual/.
"""

# A program of its own: it prints, and pathlib would slow its start.
# ruff: noqa: PTH123, S310, T201

import argparse
import ssl
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

CODE_GENERIC, CODE_NETWORK, CODE_SERVER = 1, 4, 8


def main(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    code = 0
    for url in options.urls:
        code = _fetch(url if "://" in url else f"http://{url}", options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wget", description="The small wget of this image.", allow_abbrev=False)
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-S", "--server-response", action="store_true", help="show the answer's headers")
    parser.add_argument("-O", "--output-document", default="", help="a file; - is the terminal")
    parser.add_argument("-T", "--timeout", type=float, default=900, help="seconds")
    parser.add_argument("-t", "--tries", type=int, default=3)
    parser.add_argument("--spider", action="store_true", help="only look whether it is there")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("-U", "--user-agent", default="Wget/1.21 (semafor)")
    parser.add_argument("--post-data", default=None)
    parser.add_argument("--no-check-certificate", action="store_true")
    parser.add_argument("urls", nargs="+")
    return parser


def _fetch(url: str, options: argparse.Namespace) -> int:
    for attempt in range(options.tries):
        try:
            return _once(url, options)
        except urllib.error.HTTPError as error:
            _say(options, f"{url}: ERROR {error.code}: {error.reason}.", always=True)
            return CODE_SERVER
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            _say(options, f"wget: {url}: {reason}", always=not options.quiet or attempt == options.tries - 1)
            time.sleep(min(attempt, 10))
    return CODE_NETWORK


def _once(url: str, options: argparse.Namespace) -> int:
    data = options.post_data.encode() if options.post_data is not None else None
    request = urllib.request.Request(url, data=data, method="HEAD" if options.spider else None)
    request.add_header("User-Agent", options.user_agent)
    for line in options.header:
        name, _, value = line.partition(":")
        request.add_header(name.strip(), value.strip())
    with urllib.request.urlopen(request, timeout=options.timeout, context=_tls(options)) as answer:
        if options.server_response:
            headers = "".join(f"  {name}: {value}\n" for name, value in answer.getheaders())
            print(f"  HTTP/1.1 {answer.status} {answer.reason}\n{headers}", end="", file=sys.stderr)
        if not options.spider:
            _save(answer.read(), url, options)
    return 0


def _save(content: bytes, url: str, options: argparse.Namespace) -> None:
    path = options.output_document or urlsplit(url).path.rpartition("/")[2] or "index.html"
    if path == "-":
        sys.stdout.buffer.write(content)
        return
    with open(path, "wb") as stream:
        stream.write(content)
    _say(options, f"'{path}' saved [{len(content)}]")


def _tls(options: argparse.Namespace) -> ssl.SSLContext:
    return ssl._create_unverified_context() if options.no_check_certificate else ssl.create_default_context()  # noqa: SLF001, S323


def _say(options: argparse.Namespace, text: str, *, always: bool = False) -> None:
    if always or not options.quiet:
        print(text, file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
