"""Make protobuf/messages.txt anew: `python tests/kube/api/extract_messages.py KUBECTL > messages.txt`.

kubectl carries the descriptors of Kubernetes' protobuf messages in its binary, gzipped (until 1.33). Field numbers
never change, so this is only needed to add a group.
"""

import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError

PACKAGES = {
    "k8s.io.api.admissionregistration.v1": "admissionregistration.v1",
    "k8s.io.api.apps.v1": "apps.v1",
    "k8s.io.api.authentication.v1": "authentication.v1",
    "k8s.io.api.authorization.v1": "authorization.v1",
    "k8s.io.api.autoscaling.v1": "autoscaling.v1",
    "k8s.io.api.autoscaling.v2": "autoscaling.v2",
    "k8s.io.api.batch.v1": "batch.v1",
    "k8s.io.api.coordination.v1": "coordination.v1",
    "k8s.io.api.core.v1": "core.v1",
    "k8s.io.api.discovery.v1": "discovery.v1",
    "k8s.io.api.events.v1": "events.v1",
    "k8s.io.api.networking.v1": "networking.v1",
    "k8s.io.api.policy.v1": "policy.v1",
    "k8s.io.api.rbac.v1": "rbac.v1",
    "k8s.io.api.scheduling.v1": "scheduling.v1",
    "k8s.io.api.storage.v1": "storage.v1",
    "k8s.io.apimachinery.pkg.apis.meta.v1": "meta.v1",
    "k8s.io.apimachinery.pkg.api.resource": "resource",
    "k8s.io.apimachinery.pkg.runtime": "runtime",
    "k8s.io.apimachinery.pkg.util.intstr": "intstr",
}
SCALARS = {1: "double", 3: "int", 5: "int", 8: "bool", 9: "string", 12: "bytes"}
# Fields that Go embeds: their fields appear in JSON beside those of the message around them.
INLINE = {
    "ephemeralContainerCommon",
    "handler",
    "ingressRuleValue",
    "localObjectReference",
    "persistentVolumeSource",
    "rule",
    "ruleWithOperations",
    "volumeSource",
}
JSON_NAMES = {"uID": "uid"}  # where the message spells a name in another way than JSON
NOT_NULLABLE = b"\xc8\xde\x1f\x00"  # (gogoproto.nullable) = false: a Go value, not a pointer


def files(binary: bytes) -> Iterator[FileDescriptorProto]:
    for found in re.finditer(rb"\x1f\x8b\x08\x00\x00\x00\x00\x00", binary):
        try:
            raw = zlib.decompressobj(31).decompress(binary[found.start() : found.start() + 2_000_000])
            yield FileDescriptorProto.FromString(raw)
        except (zlib.error, DecodeError):
            continue


def short(type_name: str) -> str:
    package, _, name = type_name.strip(".").rpartition(".")
    return f"{PACKAGES[package]}.{name}"


def entry(message: DescriptorProto, field: FieldDescriptorProto) -> DescriptorProto | None:
    name = field.type_name.rpartition(".")[2]
    return next((item for item in message.nested_type if item.name == name and item.options.map_entry), None)


def type_of(field: FieldDescriptorProto) -> str:
    return short(field.type_name) if field.type == 11 else SCALARS[field.type]


def line(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    mapped = entry(message, field) if field.type == 11 else None
    if mapped is not None:
        return f"{field.number} {JSON_NAMES.get(field.name, field.name)} {type_of(mapped.field[1])} map"
    mode = "value" if NOT_NULLABLE in field.options.SerializeToString() else "pointer"
    embedded = field.name in INLINE and mode == "value" and field.type == 11
    if embedded and (
        JSON_NAMES.get(field.name, field.name) != "localObjectReference" or message.name != "ImagePullSecrets"
    ):
        mode = "inline"
    if field.label == 3:
        mode = "list"
    return f"{field.number} {JSON_NAMES.get(field.name, field.name)} {type_of(field)} {mode}"


def main() -> None:
    found = {file.package: file for file in files(Path(sys.argv[1]).read_bytes())}
    for package, name in PACKAGES.items():
        for message in found[package].message_type:
            if not message.name.endswith("List"):
                print(f"{name}.{message.name}")
                print("".join(f"  {line(message, field)}\n" for field in message.field), end="")


if __name__ == "__main__":
    main()
