"""Who may use the API: the owner of the home with the token in the kubeconfig, pods with their accounts' tokens, and
whoever has a certificate that somebody has approved."""

import base64
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from semafor.app import kubeconfig
from semafor.app.home import Home
from semafor.base import clock
from semafor.ca import clients, issue, tokens
from semafor.ca.authority import Authority
from semafor.ca.keys import CaError, write_once
from semafor.kube.api.options import ADMINS, Reviewed, TokenAsk, User

Find = Callable[[str, str, str], dict[str, Any] | None]

_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_REMEMBERED = 256  # certificates whose signature need not be looked at again
_LAST_WORDS = timedelta(seconds=60)  # after its pod's end a token still holds that long, as in Kubernetes
ADMIN = User(name="kubernetes-admin", groups=(ADMINS, "system:authenticated"))


class Credentials:
    """`admin_token` is kept in the home's kubeconfig, so that it stays valid from one start to the next.

    `find` looks objects up by resource, namespace and name: a token is worth nothing without what it is bound to.
    """

    def __init__(self, home: Home, authority: Authority, find: Find) -> None:
        self._clients = Authority.open(home.ca / "clients", now=clock.now())
        self._shown: dict[bytes, clients.Shown] = {}
        self.admin_token = _known_token(home) or secrets.token_urlsafe(32)
        self._tokens = tokens.Tokens.open(home.ca, now=clock.now())
        self._authority = authority
        self._find = find

    def authenticate(self, token: str) -> User | None:
        """Whose token this is, if it opens the API."""
        reviewed = self.review(token, (tokens.API_AUDIENCE,))
        return reviewed.user if reviewed else None

    def review(self, token: str, audiences: tuple[str, ...]) -> Reviewed | None:
        """Whose token this is, and for which of the audiences; None when it is for none of them."""
        if hmac.compare_digest(token.encode(), self.admin_token.encode()):
            return Reviewed(user=ADMIN, audiences=(tokens.API_AUDIENCE,)) if tokens.API_AUDIENCE in audiences else None
        for audience in audiences:
            try:
                claims = self._tokens.verify(token, now=clock.now(), audience=audience)
            except tokens.TokenError:
                continue
            meant = tuple(each for each in audiences if each in claims.audiences)
            return Reviewed(user=_user(claims), audiences=meant) if self._holds(claims) else None
        return None

    def _holds(self, claims: tokens.Claims) -> bool:
        """Whether all that the token is bound to still exists."""
        bound = (
            ("serviceaccounts", claims.service_account, claims.uid),
            ("pods", claims.pod, claims.pod_uid),
            ("secrets", claims.secret, claims.secret_uid),
        )
        return all(self._lives(resource, claims.namespace, name, uid) for resource, name, uid in bound if name)

    def _lives(self, resource: str, namespace: str, name: str, uid: str) -> bool:
        found = self._find(resource, namespace, name)
        if found is None or found["metadata"]["uid"] != uid:
            return False
        deleted = found["metadata"].get("deletionTimestamp")
        return deleted is None or datetime.fromisoformat(deleted) + _LAST_WORDS > clock.now()

    # --- certificates ---

    @property
    def client_roots(self) -> str:
        """Who signs the certificates by which people sign in: nobody else's, and nothing but these."""
        return self._clients.root_pem.decode()

    def recognize(self, certificate: bytes) -> User | None:
        """Whose certificate (DER) this is. One that has ended since the connection began is nobody's."""
        shown = self._shown.get(certificate) or clients.read(self._clients, certificate)
        if shown is None or not shown.holds(clock.now()):
            return None
        if len(self._shown) >= _REMEMBERED:
            self._shown.clear()
        self._shown[certificate] = shown
        return User(
            name=shown.client.name,
            groups=(*shown.client.groups, "system:authenticated"),
            extra=((_CREDENTIAL, (f"X509SHA256={shown.digest}",)),),
        )

    def sign(self, request: bytes, lifetime: timedelta) -> bytes:
        """A certificate (PEM) for whom the request (PEM) names. Raises ValueError with why there is none."""
        try:
            return clients.sign(self._clients, request, now=clock.now(), lifetime=lifetime).pem
        except CaError as error:
            raise ValueError(str(error)) from None

    # --- tokens ---

    def mint(self, ask: TokenAsk) -> str:
        """A service account's token."""
        bound = ask.bound or {}
        kind = str(bound.get("kind", "Pod")).lower()
        claims = tokens.Claims(
            namespace=ask.namespace,
            service_account=ask.service_account,
            uid=ask.service_account_uid,
            audiences=ask.audiences or (tokens.API_AUDIENCE,),
            **({kind: bound["name"], f"{kind}_uid": bound["uid"]} if bound else {}),
        )
        return self._tokens.mint(claims, now=clock.now(), lifetime=timedelta(seconds=ask.lifetime_s))

    def server_files(self, folder: Path) -> tuple[Path, Path]:
        """The API's certificate and key, made for this start."""
        made = issue.server(self._authority, now=clock.now())
        certificate, key = folder / "api.pem", folder / "api-key.pem"
        for path, content, mode in ((certificate, made.certificate.pem, 0o644), (key, made.key.pem, 0o600)):
            path.unlink(missing_ok=True)
            write_once(path, content, mode=mode)
        return certificate, key


def _user(claims: tokens.Claims) -> User:
    """The user that Kubernetes makes of a service account's token."""
    extra = {
        _CREDENTIAL: f"JTI={claims.id}",
        "authentication.kubernetes.io/pod-name": claims.pod,
        "authentication.kubernetes.io/pod-uid": claims.pod_uid,
    }
    return User(
        name=claims.subject,
        uid=claims.uid,
        groups=("system:serviceaccounts", f"system:serviceaccounts:{claims.namespace}", "system:authenticated"),
        extra=tuple((name, (value,)) for name, value in extra.items() if value),
    )


def _known_token(home: Home) -> str:
    try:
        return kubeconfig.access(kubeconfig.read(home.kubeconfig)).token
    except (OSError, ValueError, LookupError):
        return ""


def groups_of(request: str) -> tuple[str, ...]:
    """The groups that a certificate request (PEM in base64) wants; none when it is not understood."""
    try:
        return clients.asked(base64.b64decode(request)).groups
    except (CaError, ValueError):
        return ()
