"""References to Secrets and ConfigMaps: whether they may be made, and lead to something that can be used."""

from collections.abc import Callable, Iterator

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.planner.gateway_api import grant
from semafor.planner.mesh import Mesh


class Reference(Value):
    """One reference: the name of what it leads to, `namespace/name`, or the reason why it leads nowhere."""

    name: str = ""
    reason: str = ""
    message: str = ""


class Reasons(Value):
    """The specification's words for a wrong kind of object, and for one that is missing or malformed."""

    kind: str
    missing: str


_CERTIFICATES = Reasons(kind="InvalidCertificateRef", missing="InvalidCertificateRef")
_AUTHORITIES = Reasons(kind="InvalidCACertificateKind", missing="InvalidCACertificateRef")
_BACKEND = Reasons(kind="InvalidKind", missing="InvalidCACertificateRef")
_CLIENT = Reasons(kind="InvalidClientCertificateRef", missing="InvalidClientCertificateRef")


def certificates(mesh: Mesh, owner: ObjectRef, refs: tuple[ObjectRef, ...]) -> Iterator[Reference]:
    """The certificates that a listener shows."""
    for ref in refs:
        yield _reference(mesh, owner, ref, ("Secret", _CERTIFICATES, lambda ref: _certificate(mesh, ref)))


def client_certificate(mesh: Mesh, owner: ObjectRef, ref: ObjectRef) -> Reference:
    """The certificate that a gateway shows to backends."""
    return _reference(mesh, owner, ref, ("Secret", _CLIENT, lambda ref: _certificate(mesh, ref)))


def authorities(mesh: Mesh, owner: ObjectRef, refs: tuple[ObjectRef, ...]) -> Iterator[Reference]:
    """The authorities that somebody's certificates are checked against."""
    for ref in refs:
        yield _reference(mesh, owner, ref, ("ConfigMap", _AUTHORITIES, lambda ref: _bundle(mesh, ref)))


def backend_authorities(mesh: Mesh, owner: ObjectRef, refs: tuple[ObjectRef, ...]) -> Iterator[Reference]:
    """The authorities that backends' certificates are checked against."""
    for ref in refs:
        yield _reference(mesh, owner, ref, ("ConfigMap", _BACKEND, lambda ref: _bundle(mesh, ref)))


def _reference(
    mesh: Mesh, owner: ObjectRef, ref: ObjectRef, wanted: tuple[str, Reasons, Callable[[ObjectRef], str]]
) -> Reference:
    kind, reasons, flaw = wanted
    if not grant.permits(mesh.reference_grants.values(), owner, ref):
        message = f"no ReferenceGrant in {ref.namespace} lets a {owner.kind} of {owner.namespace} refer to {ref}"
        return Reference(reason="RefNotPermitted", message=message)
    if (ref.group, ref.kind) != ("", kind):
        return Reference(reason=reasons.kind, message=f"{ref} is not a {kind}")
    if why := flaw(ref):
        return Reference(reason=reasons.missing, message=f"{ref} cannot be used: {why}")
    return Reference(name=f"{ref.namespace}/{ref.name}")


def _certificate(mesh: Mesh, ref: ObjectRef) -> str:
    found = mesh.credentials.get((ref.namespace, ref.name))
    return found.flaw if found else "there is no such Secret with tls.crt and tls.key"


def _bundle(mesh: Mesh, ref: ObjectRef) -> str:
    found = mesh.bundles.get((ref.namespace, ref.name))
    return found.authorities_flaw if found else "there is no such ConfigMap with a ca.crt"
