"""CertificateSigningRequest: somebody's wish for a certificate. Source: Kubernetes' API reference."""

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Time, listing
from semafor.resources.meta.meta import ObjectMeta

GROUP: Final = "certificates.k8s.io"
CLIENT_SIGNER: Final = "kubernetes.io/kube-apiserver-client"
APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
CLIENT_AUTH: Final = "client auth"
_SHORTEST_S: Final = 600
# Source: k8s.io/api/certificates/v1, KeyUsage.
_USAGES: Final = frozenset(
    {"signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment"}
    | {"cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", CLIENT_AUTH, "code signing"}
    | {"email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping"}
    | {"ocsp signing", "microsoft sgc", "netscape sgc"}
)


class CertificateSigningRequestSpec(Document):
    """What is asked for, and who asks: the API writes the latter."""

    request: Annotated[str, "The request: PEM, encoded in base64."]
    signer_name: Annotated[str, "Who is to sign, such as `kubernetes.io/kube-apiserver-client`."]
    expiration_seconds: Annotated[int | None, "How long the certificate is to be valid; the signer may shorten it."] = (
        None
    )
    usages: Annotated[tuple[str, ...], ATOMIC, "What the key is for, such as `client auth`."] = ()
    username: Annotated[str, "Who asks. Written by the API."] = ""
    uid: Annotated[str, "The UID of who asks. Written by the API."] = ""
    groups: Annotated[tuple[str, ...], ATOMIC, "The groups of who asks. Written by the API."] = ()
    extra: Annotated[dict[str, tuple[str, ...]], "Further facts about who asks. Written by the API."] = {}


class CertificateSigningRequestCondition(Document):
    """What became of the request."""

    type: Annotated[str, "Approved, Denied or Failed."]
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""
    last_update_time: Annotated[Time | None, "When it was last said."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None


class CertificateSigningRequestStatus(Document):
    """The decision, and the certificate."""

    conditions: Annotated[tuple[CertificateSigningRequestCondition, ...], listing("type"), "The decision."] = ()
    certificate: Annotated[str, "The certificate: PEM, encoded in base64."] = ""


class CertificateSigningRequest(Document, kw_only=True):
    """Asks a signer for a certificate, once somebody has approved it."""

    api_version: Annotated[str, "API version of the object."] = f"{GROUP}/v1"
    kind: Annotated[str, "Kind of the object."] = "CertificateSigningRequest"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[CertificateSigningRequestSpec, "What is asked for."]
    status: Annotated[CertificateSigningRequestStatus, "What became of it."] = CertificateSigningRequestStatus()


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """A request in PEM, a signer with a domain, and usages that are known; not approved and denied at once."""
    spec = doc.get("spec") or {}
    yield from _request(spec.get("request", ""))
    domain, slash, path = spec.get("signerName", "").partition("/")
    if not (slash and path and "." in domain):
        yield errors.invalid("spec.signerName", spec.get("signerName"), "must be a domain and a path: example.com/name")
    if (seconds := spec.get("expirationSeconds")) is not None and seconds < _SHORTEST_S:
        message = f"may not specify a duration less than {_SHORTEST_S} seconds (10 minutes)"
        yield errors.invalid("spec.expirationSeconds", seconds, message)
    usages = spec.get("usages") or ()
    if not usages:
        yield errors.required("spec.usages", "usages must contain at least one value")
    for index, each in enumerate(usages):
        if each not in _USAGES:
            yield errors.not_supported(f"spec.usages[{index}]", each, _USAGES)
        if each in usages[:index]:
            yield errors.duplicate(f"spec.usages[{index}]", each)
    yield from _conditions((doc.get("status") or {}).get("conditions") or ())


def _request(text: str) -> Iterator[FieldError]:
    try:
        pem = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pem = b""
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem and b"-----BEGIN NEW CERTIFICATE REQUEST-----" not in pem:
        message = "PEM block type must be CERTIFICATE REQUEST"
        yield errors.invalid("spec.request", "<not shown>", message)


def _conditions(conditions: Any) -> Iterator[FieldError]:
    decided = [each.get("type") for each in conditions if each.get("type") in (APPROVED, DENIED)]
    if len(set(decided)) > 1:
        message = "Approved and Denied conditions are mutually exclusive"
        yield errors.invalid("status.conditions", decided[-1], message)
    for index, each in enumerate(conditions):
        if each.get("type") in (APPROVED, DENIED, FAILED) and each.get("status") != "True":
            yield errors.not_supported(f"status.conditions[{index}].status", each.get("status"), ("True",))


KIND = Kind(
    group=GROUP,
    versions=("v1",),
    kind="CertificateSigningRequest",
    plural="certificatesigningrequests",
    short=("csr",),
    namespaced=False,
    document=CertificateSigningRequest,
    subresources=("status", "approval"),
    validate=validate,
)


def has(doc: dict[str, Any], *types: str) -> bool:
    """Whether one of the conditions has been said of the request."""
    conditions = (doc.get("status") or {}).get("conditions") or ()
    return any(each.get("type") in types for each in conditions)
