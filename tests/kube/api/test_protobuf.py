"""Protobuf bodies become the documents that the same client would have sent as JSON."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.kube.api import protobuf
from semafor.kube.api.protobuf.messages import messages


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, *values: bytes) -> bytes:
    data = b"".join(values)
    return varint(field << 3 | 2) + varint(len(data)) + data


def envelope(api_version: str, kind: str, *fields: bytes) -> bytes:
    meta = part(1, part(1, api_version.encode()), part(2, kind.encode()))
    return b"k8s\x00" + meta + part(2, *fields)


def test_values_pointers_maps_and_lists():
    body = envelope(
        "v1",
        "ServiceAccount",
        part(1, part(1, b"bob"), part(8), part(11, part(1, b"app"), part(2, b"web")), part(3, b"")),
        part(2, part(3, b"one")),
        part(2, part(3, b"two")),
        number(4, 0),
    )
    assert protobuf.decode(body) == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "bob", "labels": {"app": "web"}},
        "secrets": [{"name": "one"}, {"name": "two"}],
        "automountServiceAccountToken": False,
    }


def test_times_quantities_and_ports_are_written_as_json_has_them():
    hard = part(1, part(1, b"cpu"), part(2, part(1, b"500m")))
    quota = protobuf.decode(envelope("v1", "ResourceQuota", part(2, hard)))
    assert quota["spec"] == {"hard": {"cpu": "500m"}}
    port = part(1, number(3, 80), part(4, number(1, 1), part(3, b"http")))
    service = protobuf.decode(envelope("v1", "Service", part(2, port)))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": "http"}]
    lease = protobuf.decode(envelope("coordination.k8s.io/v1", "Lease", part(2, part(3, number(1, 1)), number(2, -5))))
    assert lease["spec"] == {"acquireTime": "1970-01-01T00:00:01Z", "leaseDurationSeconds": -5}


def test_secrets_are_base64():
    entry = part(2, part(1, b"k"), part(2, b"\x00\xff"))
    assert protobuf.decode(envelope("v1", "Secret", entry))["data"] == {"k": "AP8="}


def test_embedded_fields_stand_beside_the_others():
    selector = part(4, part(1, part(1, b"keys")), part(2, b"k"))
    container = part(2, part(1, b"app"), part(7, part(1, b"E"), part(3, selector)))
    pod = protobuf.decode(envelope("v1", "Pod", part(2, container)))
    reference = pod["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "keys", "key": "k"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\x00\xff",
        envelope("v9", "Pod"),
        envelope("v1", "Pod", b"\x0a\x7f"),
        envelope("v1", "Pod", number(1, 5)),
        envelope("v1", "Secret", part(3, b"\xff")),
        envelope("v1", "Pod", varint(1 << 3 | 3)),
        envelope("v1", "Event", part(10, number(1, 2**62))),
    ],
)
def test_what_is_not_protobuf_is_refused(body):
    with pytest.raises(protobuf.MalformedError):
        protobuf.decode(body)


@given(st.binary(max_size=60), st.sampled_from(["Pod", "Service", "Event", "Secret"]))
def test_any_bytes_are_decoded_or_refused(data, kind):
    with contextlib.suppress(protobuf.MalformedError):
        protobuf.decode(envelope("v1", kind, data))


def test_what_go_embeds_stands_beside_the_other_fields():
    http = part(1, part(1, part(1, b"/x")))
    rule = part(3, part(1, b"a.example"), part(2, http))
    ingress = protobuf.decode(envelope("networking.k8s.io/v1", "Ingress", part(2, rule)))
    [read] = ingress["spec"]["rules"]
    assert (read["host"], read["http"]["paths"][0]["path"]) == ("a.example", "/x")


def test_every_field_leads_to_a_known_type():
    scalars = {"string", "int", "bool", "bytes", "double"}
    known = messages()
    assert (
        not {field.type for fields in known.values() for field in fields.values() if field.type not in scalars}
        - known.keys()
    )
