"""Kubernetes' protobuf bodies as JSON documents: kubectl's typed commands (create namespace, create token) send them.

In: `application/vnd.kubernetes.protobuf` bytes. Out: the document that a client would have sent as JSON. Answers are
always JSON, which every client accepts. The messages' fields are in messages.txt, a table read out of kubectl's own
descriptors: number, name, type, and how Go holds it (value, pointer, list, map, or inline: embedded in the message
around it).
"""

from semafor.base.protobuf import MalformedError
from semafor.kube.api.protobuf.decode import decode

__all__ = ["MalformedError", "decode"]
