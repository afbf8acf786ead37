"""How long a proxy's certificate lives and when it is replaced, as its environment says in Istio's words. Pure.

Source: Istio's reference of pilot-agent's environment: SECRET_TTL, SECRET_GRACE_PERIOD_RATIO; of istiod's:
MAX_WORKLOAD_CERT_TTL.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from semafor.base import duration
from semafor.base.struct import Value
from semafor.ca import issue

LIFETIME: Final = "SECRET_TTL"
GRACE: Final = "SECRET_GRACE_PERIOD_RATIO"  # the last part of the life, in which there is to be a new certificate
NAMES: Final = (LIFETIME, GRACE)
_LONGEST: Final = timedelta(days=90)
_SHORTEST: Final = timedelta(minutes=1)


class Life(Value):
    """`renew_part`: of the life, after which there is to be a new certificate."""

    lifetime: timedelta = issue.WORKLOAD_LIFETIME
    renew_part: float = 0.5


def read(environment: Mapping[str, str]) -> Life:
    """What the variables say; one that is not understood counts as absent."""
    usual = Life()
    try:
        lifetime = _lifetime(environment[LIFETIME])
    except (ValueError, LookupError):
        lifetime = usual.lifetime
    try:
        renew_part = 1 - _grace(environment[GRACE])
    except (ValueError, LookupError):
        renew_part = usual.renew_part
    return Life(lifetime, renew_part)


def flaw(name: str, value: str) -> str:
    """Why the value of one of NAMES counts as absent; empty when it does not."""
    try:
        _lifetime(value) if name == LIFETIME else _grace(value)
    except ValueError as error:
        return str(error)
    return ""


def _lifetime(text: str) -> timedelta:
    found = timedelta(seconds=duration.parse(text))
    if not _SHORTEST <= found <= _LONGEST:
        raise ValueError(f"{text} is not between 1m and 2160h (90 days)")
    return found


def _grace(text: str) -> float:
    found = float(text)
    if not 0.1 <= found <= 0.9:
        raise ValueError(f"{text} is not between 0.1 and 0.9")
    return found
