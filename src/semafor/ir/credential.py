"""Certificates that are not the proxy's own identity."""

from semafor.base.struct import Value


class Credential(Value, cache_hash=True):
    """What the TLS settings of a listener or cluster name: a certificate with its key, or whom to trust.

    Texts are PEM; with `files` they are paths that the proxy reads. `revoked` is a list of certificates that count for
    nothing any more.
    """

    name: str
    certificate: str = ""
    key: str = ""
    authorities: str = ""
    revoked: str = ""
    files: bool = False

    def __repr__(self) -> str:
        """Leave the key out, and what nobody reads."""
        return f"Credential({self.name!r})"
