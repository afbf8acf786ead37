"""Who may look: one-time links, sessions, and how often one may guess. No I/O; `now` is in seconds.

semafor dashboard ─▶ Links.make ─▶ http://127.0.0.1:PORT/#link=... ─▶ the page sends it once ─▶ Sessions.begin
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

LINK_LIFE_S = 300.0  # long enough to carry a link from a terminal to a browser by hand
SESSION_LIFE_S = 12 * 3600.0  # a working day
IDLE_LIFE_S = 3600.0  # an open page asks every few seconds, so this ends sessions whose page is closed
_MAX_LINKS = 32
_MAX_SESSIONS = 256
_GUESSES = 5  # failures that may come at once
_GUESS_EVERY_S = 12.0  # and how often one more after that


@dataclass(frozen=True)
class Session:
    """Someone who has come in. `csrf` has to come with every request that changes something."""

    user: str
    csrf: str
    began: float


class Links:
    """One-time links that work for a few minutes. Only digests are kept."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, float] = OrderedDict()

    def make(self, now: float) -> str:
        """A new link's secret part."""
        token = secrets.token_urlsafe(32)
        self._made[_digest(token)] = now
        while len(self._made) > _MAX_LINKS:
            self._made.popitem(last=False)
        return token

    def use(self, token: str, now: float) -> bool:
        """Whether the link is one of ours, young enough, and used for the first time."""
        made = self._made.pop(_digest(token), None)
        return made is not None and now - made <= LINK_LIFE_S


class Sessions:
    """Sessions by the digest of their cookie; the oldest gives way when there are too many."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Session, float]] = OrderedDict()

    def begin(self, user: str, now: float) -> tuple[str, Session]:
        """Start a session and return its cookie's value."""
        token = secrets.token_urlsafe(32)
        session = Session(user=user, csrf=secrets.token_urlsafe(32), began=now)
        self._open[_digest(token)] = (session, now)
        while len(self._open) > _MAX_SESSIONS:
            self._open.popitem(last=False)
        return token, session

    def find(self, token: str, now: float) -> Session | None:
        """The session, as long as it lasts; being looked for keeps it from going idle."""
        key = _digest(token)
        session, seen = self._open.get(key, (None, 0.0))
        if session is None:
            return None
        if now - session.began > SESSION_LIFE_S or now - seen > IDLE_LIFE_S:
            del self._open[key]
            return None
        self._open[key] = (session, now)
        return session

    def end(self, token: str) -> None:
        self._open.pop(_digest(token), None)


class Attempts:
    """How many failures there were of late: a bucket that empties slowly. Right answers cost nothing."""

    def __init__(self) -> None:
        self._level = 0.0
        self._at = 0.0

    def wait_s(self, now: float) -> float:
        """How long to wait before the next guess is looked at; 0 for not at all."""
        level = max(0.0, self._level - (now - self._at) / _GUESS_EVERY_S)
        return 0.0 if level <= _GUESSES - 1 else (level - (_GUESSES - 1)) * _GUESS_EVERY_S

    def failed(self, now: float) -> None:
        self._level = max(0.0, self._level - (now - self._at) / _GUESS_EVERY_S) + 1
        self._at = now


def same(one: str, other: str) -> bool:
    """Whether both are equal, told in the same time whatever they are."""
    return hmac.compare_digest(one.encode(), other.encode())


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
