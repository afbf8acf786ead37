"""`pilot-agent`, the program in the proxy's container: it starts Envoy, and answers for it.

This file is copied into the container and runs alone, with the standard library and nothing else.

    pilot-agent proxy sidecar|router|discovery [--log-level LEVEL]    become Envoy
    pilot-agent request METHOD PATH [BODY]                             ask Envoy's admin interface
    pilot-agent version
"""

import http.client
import json
import os
import sys
from pathlib import Path

ADMIN_PORT = 15000
ENVOY = "/usr/local/bin/envoy"
BOOTSTRAP = "/etc/istio/proxy/envoy.json"
TIMEOUT_S = 10


def proxy(arguments: list[str]) -> None:
    """Replace this process by Envoy: no hot restart, the bootstrap that the control plane wrote."""
    level = arguments[arguments.index("--log-level") + 1] if "--log-level" in arguments[:-1] else "warning"
    argv = [ENVOY, "-c", BOOTSTRAP, *workers(), "--disable-hot-restart", "--log-level", level]
    argv += ["--component-log-level", "misc:error,wasm:off"]  # each says something at every start that is meant so
    argv += [
        "--log-format",
        "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n\t%v",
        "--file-flush-interval-msec",
        "1000",  # so that a log shows what has just happened; Istio's value
        "--drain-time-s",
        "5",
        "--drain-strategy",
        "immediate",
    ]
    os.execve(ENVOY, argv, {**os.environ, **own_words()})  # noqa: S606 - fixed program, no shell


def own_words() -> dict[str, str]:
    """What metrics call this workload, as variables: Envoy's formats can read those, and not what else it is told."""
    told = json.loads(Path(BOOTSTRAP).read_bytes()).get("node", {}).get("metadata", {})
    return {name: told[name] for name in told if name.startswith("SEMAFOR_")}


def workers() -> list[str]:
    """One worker, unless ProxyConfig says another number; 0 leaves it to Envoy, which takes one for each processor."""
    try:
        number = json.loads(os.environ.get("PROXY_CONFIG", "{}")).get("concurrency", 1)
    except (ValueError, AttributeError):
        number = 1
    return ["--concurrency", str(number)] if number else []


def request(arguments: list[str]) -> int:
    """One request to Envoy's admin interface; the body goes to standard output."""
    if len(arguments) < 2:
        return usage()
    method, path, *body = arguments
    connection = http.client.HTTPConnection("127.0.0.1", ADMIN_PORT, timeout=TIMEOUT_S)
    try:
        connection.request(method.upper(), path if path.startswith("/") else f"/{path}", "".join(body))
        response = connection.getresponse()
        content = response.read()
    except OSError as error:
        print(f"Envoy's admin interface does not answer: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(content)
    return 0 if response.status < 400 else 1


def usage() -> int:
    print(__doc__, file=sys.stderr)
    return 2


def main(arguments: list[str]) -> int:
    match arguments:
        case ["proxy", *rest]:
            proxy(rest)
            return 1  # never reached: the process has become Envoy
        case ["request", *rest]:
            return request(rest)
        case ["version"]:
            os.execv(ENVOY, [ENVOY, "--version"])  # noqa: S606 - fixed program, no shell
            return 1  # never reached
        case _:
            return usage()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
