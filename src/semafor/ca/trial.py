"""A trial of an authority: a handshake in memory between two leaves of it, before any proxy depends on them.

What a chain may not be used for is said in many ways: name constraints, uses, policies. TLS itself knows them all.
Source: RFC 5280, section 6.1, with 4.2.1.10 for the names.
"""

import ssl
from contextlib import suppress
from datetime import datetime
from typing import Final

from semafor.ca import issue
from semafor.ca.authority import Authority, bundle
from semafor.ca.plugged import PluggedError
from semafor.ca.svid import load

_NO_CHECK_TIME: Final = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME: `plugged` has looked at the times
_ROUNDS: Final = 10  # a handshake of TLS 1.3 takes three


def check(authority: Authority, spiffe_id: str, *, now: datetime) -> None:
    """Raises PluggedError unless a leaf for `spiffe_id` would be believed, as a client's and as a server's."""
    leaf = issue.workload(authority, spiffe_id, now=now)
    pem = leaf.certificate.pem + leaf.key.pem
    sides = [_side(authority, pem, is_server=is_server) for is_server in (True, False)]
    (server, to_server), (client, to_client) = sides
    pipes = ((client, to_client, to_server), (server, to_server, to_client))
    for _ in range(_ROUNDS):
        for side, own, other in pipes:
            _step(side, spiffe_id)
            if data := own.outgoing.read():
                other.incoming.write(data)


class _Pipe:
    """What has come for a side, and what it has to say."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()


def _side(authority: Authority, pem: bytes, *, is_server: bool) -> tuple[ssl.SSLObject, _Pipe]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # it is the identity that counts
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)
    context.load_verify_locations(cadata=bundle(authority.roots).decode())
    load(context, pem)
    pipe = _Pipe()
    return context.wrap_bio(pipe.incoming, pipe.outgoing, server_side=is_server), pipe


def _step(side: ssl.SSLObject, spiffe_id: str) -> None:
    try:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message or str(error)
        raise PluggedError(
            f"nobody would believe its certificates for {spiffe_id}: {why} (look at its name constraints and uses)"
        ) from None
    except ssl.SSLError as error:
        raise PluggedError(f"its certificates cannot be used for TLS: {error.reason or error}") from None
