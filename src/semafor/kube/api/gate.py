"""The gate in front of every route: who is it, may they, and no exception leaves as anything but a Status.

ASGI middleware, so that it also stands before WebSockets (exec, port-forward).
"""

import logging
from collections.abc import Callable
from urllib.parse import unquote

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semafor.kube.api import answers, errors, impersonation, paths, rbac, selectors
from semafor.kube.api import call as calls
from semafor.kube.api.options import ANONYMOUS, Authenticate, Recognize, User
from semafor.kube.api.streams.upgrade import client_certificate
from semafor.kube.store import StoreError

_log = logging.getLogger(__name__)

_ALWAYS_OPEN = frozenset({"/healthz", "/livez", "/readyz"})  # kube-apiserver's --authorization-always-allow-paths
_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
Decide = Callable[[User, rbac.Attributes], rbac.Verdict]


class Gate:
    """Wraps an ASGI application. The user is put under `user` into the scope's state."""

    def __init__(
        self, app: ASGIApp, authenticate: Authenticate, decide: Decide, recognize: Recognize | None = None
    ) -> None:
        self._app = app
        self._authenticate = authenticate
        self._recognize = recognize
        self._decide = decide

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        watched = _Watched(send)
        try:
            self._admit(scope)
            await self._app(scope, receive, watched)
        except errors.StatusError as error:
            await _refuse(answers.refusal(error), scope, receive, watched)
        except StoreError as error:
            await _refuse(answers.refusal(errors.unavailable(str(error))), scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the edge: logged once, answered as a Status
            _log.exception("%s %s failed", scope.get("method", "WebSocket"), scope["path"])
            await _refuse(answers.refusal(errors.internal(str(error))), scope, receive, watched)

    def _admit(self, scope: Scope) -> None:
        _check_path(scope)
        user = self._acting(self._user(scope), scope)
        scope.setdefault("state", {})["user"] = user
        wanted = attributes_of(scope)
        if wanted.path not in _ALWAYS_OPEN:
            self._require(user, wanted)

    def _require(self, user: User, wanted: rbac.Attributes) -> None:
        verdict = self._decide(user, wanted)
        if not verdict.allowed:
            raise rbac.refusal(user, wanted, verdict.reason)

    def _acting(self, user: User, scope: Scope) -> User:
        """The user as whom the request is made."""
        wanted = impersonation.requested(scope["headers"])
        if wanted is None:
            return user
        for needed in impersonation.permissions(wanted, scope["headers"]):
            self._require(user, needed)
        return wanted

    def _user(self, scope: Scope) -> User:
        """By certificate, else by token, as kube-apiserver does."""
        shown = client_certificate(scope)
        known = self._recognize(shown) if shown and self._recognize else None
        return known or self._bearer(scope)

    def _bearer(self, scope: Scope) -> User:
        for name, value in scope["headers"]:
            if name == b"authorization":
                scheme, _, token = value.decode("latin-1").partition(" ")
                user = self._authenticate(token.strip()) if scheme.lower() == "bearer" else None
                if user is None:
                    raise errors.unauthorized()
                return user
        return ANONYMOUS


def attributes_of(scope: Scope) -> rbac.Attributes:
    """What a request wants to do, in RBAC's words."""
    path = scope["path"]
    target = paths.parse(_raw_path(scope))
    method = scope.get("method", "GET")
    if target is None:
        return rbac.Attributes(verb=method.lower(), path=path)
    verb, name = _VERBS.get(method, method.lower()), target.name
    if not name:
        query = QueryParams(scope["query_string"])  # as whoever answers reads it: what is judged has to be what is done
        verb = {"get": "watch" if calls.flag(query, "watch") else "list", "delete": "deletecollection"}.get(verb, verb)
        name = _only_name(query) if verb in ("list", "watch", "deletecollection") else ""
    return rbac.Attributes(
        verb=verb,
        group=target.group,
        resource=target.plural,
        subresource=target.subresource,
        namespace=target.name if target.plural == "namespaces" else target.namespace,
        name=name,
    )


def _only_name(query: QueryParams) -> str:
    """The one object that a collection is narrowed to: a rule with resourceNames can allow it. Raises StatusError."""
    terms = selectors.parse_fields(query.get("fieldSelector", ""))
    return next((term.value for term in terms if term.path == "metadata.name" and not term.negated), "")


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _check_path(scope: Scope) -> None:
    """Refuse a path that reads differently before and after decoding: what is judged has to be what is done.

    Rights are judged by the path as it came, part by part; routes are chosen by the decoded one, where an encoded slash
    would begin a new part. No name of Kubernetes holds a slash. Raises StatusError 400.
    """
    raw = _raw_path(scope)
    if "%2f" in raw.lower() or (scope.get("raw_path") and unquote(raw) != scope["path"]):
        raise errors.bad_request("the path of the URL may not hold encoded slashes")


class _Watched:
    """Remembers whether an answer has begun: after that, an error can only end the connection."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self._send(message)


async def _refuse(response: Response, scope: Scope, receive: Receive, send: _Watched) -> None:
    if not send.begun:
        await response(scope, receive, send)
