"""Certificates and trust bundles as SDS secrets."""

from typing import Final

from semafor.base.xds import Resource
from semafor.envoy.pool import Pool, resource

IDENTITY: Final = "default"  # Istio's names, which the plan's TLS settings refer to
TRUST: Final = "ROOTCA"
_SECRET: Final = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 a type's name


def identity(pool: Pool, chain_pem: bytes, key_pem: bytes, *, name: str = IDENTITY) -> Resource:
    """A certificate (with its intermediates, if any) and its private key."""
    certificate = {"certificate_chain": {"inline_bytes": chain_pem}, "private_key": {"inline_bytes": key_pem}}
    return resource(name, pool(_SECRET, name=name, tls_certificate=certificate))


def trust(pool: Pool, roots_pem: bytes, *, name: str = TRUST) -> Resource:
    """The roots that certificates of others are verified with."""
    bundle = {"trusted_ca": {"inline_bytes": roots_pem}}
    return resource(name, pool(_SECRET, name=name, validation_context=bundle))
