"""Coming in and going out: `/api/session`, `/api/login`, `/api/logout`."""

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

import semafor
from semafor.app.web.gate import problem
from semafor.app.web.login import SESSION_LIFE_S, Attempts, Links, Session, Sessions, same
from semafor.app.web.sources import Sources

# Where Kiali kept the user and password of its own login, in the keys `username` and `passphrase`.
_SECRET = ("istio-system", "kiali")
_WHO_LINK = "link"


class Entrance:
    """The ways in: a one-time link, a token of an administrator of the API, and a password where one is set."""

    def __init__(self, sources: Sources, links: Links, sessions: Sessions, cookie: str) -> None:
        self._sources = sources
        self._links = links
        self._sessions = sessions
        self._cookie = cookie
        self._attempts = Attempts()

    def routes(self) -> tuple[BaseRoute, ...]:
        return (
            Route("/api/session", self.session),
            Route("/api/login", self.login, methods=["POST"]),
            Route("/api/logout", self.logout, methods=["POST"]),
        )

    async def session(self, request: Request) -> Response:
        """Who is signed in, or how one can be."""
        session: Session | None = request.state.session
        if session is None:
            ways = ["link", "token", *(["password"] if self._password() else [])]
            return JSONResponse({"signedIn": False, "ways": ways})
        return self._welcome(session)

    def _welcome(self, session: Session) -> JSONResponse:
        told = {"signedIn": True, "user": session.user, "csrf": session.csrf, "mesh": self._sources.name}
        return JSONResponse({**told, "version": semafor.__version__})

    async def login(self, request: Request) -> Response:
        """Start a session. What is long and random is looked at whatever happened before; passwords are not."""
        asked = await _body(request)
        if asked is None:
            return problem(400, "BadRequest", "a JSON object of strings was expected")
        now = self._sources.now()
        wait = self._attempts.wait_s(now)
        user = self._by_link(asked, now) or self._by_token(asked) or ("" if wait else self._by_password(asked))
        if user:
            token, session = self._sessions.begin(user, now)
            answer = self._welcome(session)
            answer.set_cookie(self._cookie, token, max_age=int(SESSION_LIFE_S), httponly=True, samesite="strict")
            return answer
        if wait:
            answer = problem(429, "TooManyAttempts", f"too many failed attempts; wait {wait:.0f} seconds")
            answer.headers["Retry-After"] = str(int(wait) + 1)
            return answer
        self._attempts.failed(now)
        return problem(401, "NotKnown", _why(asked))

    async def logout(self, request: Request) -> Response:
        self._sessions.end(request.state.cookie)
        answer = JSONResponse({"signedIn": False})
        answer.delete_cookie(self._cookie, httponly=True, samesite="strict")
        return answer

    def _by_link(self, asked: dict[str, str], now: float) -> str:
        return _WHO_LINK if "link" in asked and self._links.use(asked["link"], now) else ""

    def _by_token(self, asked: dict[str, str]) -> str:
        """Administrators only: the page shows and changes everything, so an account that may do less may not look."""
        user = self._sources.authenticate(asked["token"].strip()) if asked.get("token") else None
        return user.name if user and user.is_admin else ""

    def _by_password(self, asked: dict[str, str]) -> str:
        known = self._password()
        if not known or "password" not in asked:
            return ""
        right = (same(asked.get("user", ""), known[0]), same(asked["password"], known[1]))
        return known[0] if all(right) else ""

    def _password(self) -> tuple[str, str] | None:
        """The user and password, if somebody has set them."""
        data = (self._sources.objects.store.get("secrets", *_SECRET) or {}).get("data") or {}
        try:
            user, password = (base64.b64decode(data[key]).decode() for key in ("username", "passphrase"))
        except (KeyError, ValueError):
            return None
        return (user, password) if user and password else None


async def _body(request: Request) -> dict[str, str] | None:
    try:
        found: Any = await request.json()
    except ValueError:
        return None
    right = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if right else None


def _why(asked: dict[str, str]) -> str:
    if "link" in asked:
        return "this link was used before, or is too old; `semafor dashboard` makes a new one"
    if "token" in asked:
        return "this is not the token of an administrator of this mesh"
    return "user or password are not right"
