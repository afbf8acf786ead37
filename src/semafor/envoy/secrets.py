"""Certificates and trust bundles as SDS secrets."""

from typing import Any, Final

from semafor import ir
from semafor.base.xds import Resource
from semafor.envoy.pool import Pool, resource
from semafor.envoy.secret_names import IDENTITY, TRUST

_SECRET: Final = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 a type's name


def identity(pool: Pool, chain_pem: bytes, key_file: str, *, name: str = IDENTITY) -> Resource:
    """A certificate (with its intermediates, if any), and where its private key is, as the proxy sees it."""
    certificate = {"certificate_chain": {"inline_bytes": chain_pem}, "private_key": {"filename": key_file}}
    return resource(name, pool(_SECRET, name=name, tls_certificate=certificate))


def identity_of_files(pool: Pool, chain_file: str, key_file: str, watched: str, *, name: str = IDENTITY) -> Resource:
    """A certificate that somebody beside the proxy keeps, who moves a new one into the folder `watched`."""
    certificate = {
        "certificate_chain": {"filename": chain_file},
        "private_key": {"filename": key_file},
        "watched_directory": {"path": watched},
    }
    return resource(name, pool(_SECRET, name=name, tls_certificate=certificate))


def credential(pool: Pool, node: ir.Credential) -> Resource:
    """A certificate that a plan names, or the authorities to verify others with."""
    if node.certificate:
        pair = {
            "certificate_chain": _source(node.certificate, files=node.files),
            "private_key": _source(node.key, files=node.files),
        }
        return resource(node.name, pool(_SECRET, name=node.name, tls_certificate=pair))
    bundle = {"trusted_ca": _source(node.authorities, files=node.files)}
    if node.revoked:
        bundle["crl"] = _source(node.revoked, files=node.files)
    return resource(node.name, pool(_SECRET, name=node.name, validation_context=bundle))


def _source(text: str, *, files: bool) -> dict[str, Any]:
    return {"filename": text} if files else {"inline_bytes": text.encode()}


def trust(pool: Pool, roots_pem: bytes, *, name: str = TRUST) -> Resource:
    """The roots that certificates of others are verified with."""
    bundle = {"trusted_ca": {"inline_bytes": roots_pem}}
    return resource(name, pool(_SECRET, name=name, validation_context=bundle))
