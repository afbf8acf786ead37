"""What stands before every page and every answer: the right host, a session, no forged requests, strict headers.

Host is loopback's?  ─no─▶ 421     a page of a foreign name that leads here (DNS rebinding)
changes something?   ─▶ Origin is ours, and the session's CSRF token came along, else 403
below /api?          ─▶ a session, else 401 (login and session tell their own story)
for a tool?          ─▶ an administrator's token does instead of all but the first: browsers send none by themselves
"""

import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semafor.app.web.login import Session, Sessions, same
from semafor.kube.api.options import Authenticate

MAX_BODY_BYTES = 1_500_000  # the largest object that Kubernetes takes
HEALTH = frozenset({"/healthz", "/kiali/healthz"})  # what probes ask, by the pod's address
_TOOLS = ("/api/jaeger/", "/api/prometheus/")  # both take no larger bodies than they can hold
_PUBLIC = frozenset({"/api/session", "/api/login"})
_SAFE = frozenset({"GET", "HEAD"})
_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Keys(NamedTuple):
    """What opens: the cookie of that name with a session in it, and tokens."""

    cookie: str
    authenticate: Authenticate


class Gate:
    """An ASGI application before another."""

    def __init__(self, app: ASGIApp, sessions: Sessions, keys: Keys, now: Callable[[], float]) -> None:
        self._app = app
        self._sessions = sessions
        self._keys = keys
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        nonce = secrets.token_urlsafe(16)
        state = scope.setdefault("state", {})
        state["style_nonce"] = nonce
        state["cookie"] = token = cookie(Headers(scope=scope), self._keys.cookie)
        state["session"] = session = self._sessions.find(token, self._now()) if token else None
        send = with_headers(send, scope["path"], nonce)
        refusal = refused(scope, session, has_token=self._is_tool(scope))
        await (refusal or self._app)(scope, receive, send)

    def _is_tool(self, scope: Scope) -> bool:
        """Whether it asks for what Grafana and the like read, with the token of an administrator."""
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not scope["path"].startswith(_TOOLS):
            return False
        user = self._keys.authenticate(token.strip())
        return user is not None and user.is_admin


def refused(scope: Scope, session: Session | None, *, has_token: bool = False) -> Response | None:
    """Why the request may not pass; None when it may."""
    headers, path = Headers(scope=scope), scope["path"]
    if path in HEALTH:
        return None
    if not is_loopback(headers.get("host", "")):
        return problem(421, "WrongHost", "this page answers only to 127.0.0.1 and localhost")
    if has_token:
        return None
    if scope["method"] not in _SAFE:
        if not _own_origin(headers):
            return problem(403, "ForeignOrigin", "the request does not come from this page")
        if "transfer-encoding" in headers or int(headers.get("content-length") or 0) > MAX_BODY_BYTES:
            return problem(413, "TooLarge", "the request is too large, or does not say how large it is")
    if not path.startswith("/api/") or path in _PUBLIC:
        return None
    if session is None:
        return problem(401, "NoSession", "sign in first")
    if scope["method"] not in _SAFE and not same(headers.get("x-csrf-token", ""), session.csrf):
        return problem(403, "NoCsrfToken", "the request does not carry this session's token")
    return None


def problem(code: int, reason: str, message: str) -> JSONResponse:
    """An answer that says what is wrong, as all of `/api` does it."""
    return JSONResponse({"reason": reason, "message": message}, status_code=code)


def is_loopback(host: str) -> bool:
    """Whether the Host header is one of this machine's own names, with any port: a forwarded one is free to choose."""
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    return (name if colon else port or host) in _NAMES and (not colon or port.isdigit())


def cookie(headers: Headers, name: str) -> str:
    """The value of a cookie, "" when it did not come."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _own_origin(headers: Headers) -> bool:
    """Browsers say where a request that changes something comes from; without that it is nobody's."""
    site = headers.get("sec-fetch-site", "same-origin")
    return site == "same-origin" and headers.get("origin") == f"http://{headers.get('host')}"


def _policy(nonce: str) -> str:
    """Everything from here and nothing inline; the nonce is for the styles that the editor makes for itself."""
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def with_headers(send: Send, path: str, nonce: str = "") -> Send:
    """What every answer says to browsers. Without a nonce no style may be made either."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = _policy(nonce)
            for name, value in _HEADERS.items():
                headers[name] = value
            kept = path.startswith("/assets/") and message["status"] == 200  # their names change with what is in them
            headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-store"
        await send(message)

    return sending
