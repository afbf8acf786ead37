"""What proxies have written of a request becomes its life: read in any format, joined, and judged."""

import msgspec
import pytest

from semafor import explain
from semafor.explain import causes
from semafor.explain.entry import Entry
from semafor.ir import FileLog
from semafor.planner.telemetry import formats

LINE = (
    '[2026-11-23T01:34:20.108Z] "GET /a?x=1 HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{x} - '
    '"delayed connect error: 111" 0 832 15 - "-" "curl/7.88.1" "177192f3-a49e-42cb-b1e3-523e52d8aeab" "model" '
    '"10.244.0.5:8080" outbound|80||model.demo.svc.cluster.local - 10.96.116.38:80 10.244.0.6:49272 - -'
)


def test_a_line_of_istios_format_is_read():
    read = explain.reader(FileLog(path="/dev/stdout", text=formats.line("")))
    entry = read(LINE)
    assert (entry.method, entry.path, entry.status, entry.flags) == ("GET", "/a?x=1", 503, ("UF", "URX"))
    assert (entry.cluster, entry.route, entry.upstream_local) == ("outbound|80||model.demo.svc.cluster.local", "", "")


def test_a_line_of_the_json_format_is_read():
    read = explain.reader(FileLog(path="/dev/stdout", fields=formats.JSON))
    line = {"method": "GET", "path": "/", "response_code": 200, "route_name": None, "response_flags": "-"}
    entry = read(msgspec.json.encode(line).decode())
    assert (entry.method, entry.status, entry.route, entry.flags) == ("GET", 200, "", ())


@pytest.mark.parametrize("line", ["", "[info] something else", "{}x", '{"other": 1}'])
def test_lines_of_something_else_are_nobodys(line):
    readers = [
        explain.reader(FileLog(path="", text=formats.TEXT)),
        explain.reader(FileLog(path="", fields=formats.JSON)),
    ]
    assert explain.read(readers, line) is None


def test_a_header_that_the_format_names_is_known():
    read = explain.reader(FileLog(path="", text="%REQ(X-User)% %PROTOCOL% %% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%\n"))
    assert read("ada HTTP/2 % /x").headers == (("x-user", "ada"), (":path", "/x"))


@pytest.mark.parametrize("flag", sorted(causes.FLAGS))
def test_every_flag_is_a_cause(flag):
    found = causes.of(Entry(status=503, flags=(flag,), details="x"), None, "a")
    assert found
    assert found.why.startswith(f"a: {causes.FLAGS[flag].why}")


def test_what_followed_a_cause_is_told_with_it():
    found = causes.of(explain.reader(FileLog(path="", text=formats.TEXT))(LINE), None, "the proxy of a")
    assert found.why == (
        "the proxy of a: no connection to the instance could be made "
        "(URX: all retries failed as well; the connection was refused: nothing listens there)"
    )


@pytest.mark.parametrize(
    ("details", "why"),
    [
        ("rbac_access_denied_matched_policy[none]", "a refuses: no rule of its ALLOW policies takes it"),
        ("rbac_access_denied_matched_policy[ns[x]-policy[y]-rule[0]]", "a refuses: the rule ns[x]-policy[y]-rule[0]"),
        ("jwt_authn_access_denied{Jwt_is_expired}", "a: the token is refused"),
        ("direct_response", "a: the route itself answers so"),
        ("something_new", "a answered 403 itself: something_new"),
    ],
)
def test_details_without_a_flag_are_causes_too(details, why):
    assert causes.of(Entry(status=403, details=details), None, "a").why.startswith(why)


def test_what_the_app_answers_is_the_apps():
    entry = Entry(status=500, details="via_upstream", upstream_host="10.0.0.1:80")
    assert causes.of(entry, None, "a") is None
    assert causes.of_app(entry, "a").why == "a itself answered 500: the mesh passed it on"
