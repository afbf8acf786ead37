"""Which authority signs and which roots are trusted, while one authority follows another. Pure.

    stable ── another one is wanted ──▶ announcing     the old one signs; the roots of both are trusted
                                          │ every proxy has these roots
                                          ▼
                                        replacing      the new one signs; the roots of both are trusted
                                          │ no proxy has a leaf of the old one any more
                                          ▼
    stable ◀── every proxy has that ─── withdrawing    the new one signs; its roots alone are trusted

So at no moment does a proxy present a leaf that another one cannot verify.
"""

from datetime import datetime
from typing import Literal

from cryptography import x509
from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ca.authority import Authority

Phase = Literal["stable", "announcing", "replacing", "withdrawing"]


class Trust(Value):
    """The authorities of a mesh. `own` is the root that signs where nobody plugs another authority in.

    `coming` follows `active`; it is `active` itself while the mesh is stable. `since`: when the phase began.
    """

    own: Authority
    active: Authority
    coming: Authority
    phase: Phase
    since: datetime

    @property
    def signer(self) -> Authority:
        return self.coming if self.phase in ("replacing", "withdrawing") else self.active

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """The roots that every proxy is to trust now."""
        old = () if self.phase == "withdrawing" else self.active.roots
        return tuple(dict.fromkeys((*old, *self.coming.roots)))


def start(own: Authority, now: datetime) -> Trust:
    """A mesh that knows nothing but its own root."""
    return Trust(own=own, active=own, coming=own, phase="stable", since=now)


def aim(trust: Trust, wanted: Authority, now: datetime) -> Trust:
    """Go to `wanted`, as far as that is possible now: what is half replaced comes to its end first."""
    if trust.phase in ("replacing", "withdrawing") or _same(trust.coming, wanted):
        return trust
    if _same(trust.active, wanted):  # back again: nobody has a leaf of the one that was coming
        return replace(trust, coming=wanted, phase="stable", since=now)
    # Nobody trusts leaves of one that has expired: there is nothing to wait for.
    phase: Phase = "announcing" if trust.active.expires > now else "replacing"
    return replace(trust, coming=wanted, phase=phase, since=now)


def advance(trust: Trust, *, known: bool, replaced: bool, now: datetime) -> Trust:
    """The next phase, if it is time. `known`: every proxy has `trust.roots`; `replaced`: and a leaf of `trust.signer`.

    The very same value comes back when nothing is to be done.
    """
    match trust.phase:
        case "announcing" if known:
            return replace(trust, phase="replacing", since=now)
        case "replacing" if known and replaced:
            return replace(trust, phase="withdrawing", since=now)
        case "withdrawing" if known:
            return replace(trust, active=trust.coming, phase="stable", since=now)
        case _:
            return trust


def with_own(trust: Trust, own: Authority) -> Trust:
    """Another root of our own, to be aimed at where nothing is plugged in."""
    return replace(trust, own=own)


def _same(one: Authority, other: Authority) -> bool:
    return one.id == other.id and set(one.roots) == set(other.roots)
