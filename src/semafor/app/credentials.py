"""Who may use the API: the owner of the home with the token in the kubeconfig, and pods with their accounts' tokens."""

import hmac
import secrets
from datetime import timedelta
from pathlib import Path

from semafor.app import kubeconfig
from semafor.app.home import Home
from semafor.base import clock
from semafor.ca import issue, tokens
from semafor.ca.authority import Authority
from semafor.ca.keys import write_once
from semafor.kube.api.options import ADMINS, TokenAsk, User

ADMIN = User(name="kubernetes-admin", groups=(ADMINS, "system:authenticated"))


class Credentials:
    """`admin_token` is kept in the home's kubeconfig, so that it stays valid from one start to the next."""

    def __init__(self, home: Home, authority: Authority) -> None:
        self.admin_token = _known_token(home) or secrets.token_urlsafe(32)
        self._tokens = tokens.Tokens.open(home.ca)
        self._authority = authority

    def authenticate(self, token: str) -> User | None:
        if hmac.compare_digest(token.encode(), self.admin_token.encode()):
            return ADMIN
        try:
            claims = self._tokens.verify(token, now=clock.now())
        except tokens.TokenError:
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{claims.namespace}", "system:authenticated")
        return User(name=claims.subject, uid=claims.uid, groups=groups)

    def mint(self, ask: TokenAsk) -> str:
        """A service account's token."""
        bound = ask.bound or {}
        claims = tokens.Claims(
            namespace=ask.namespace,
            service_account=ask.service_account,
            uid=ask.service_account_uid,
            audiences=ask.audiences or (tokens.API_AUDIENCE,),
            pod=bound.get("name", ""),
            pod_uid=bound.get("uid", ""),
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


def _known_token(home: Home) -> str:
    try:
        return kubeconfig.access(kubeconfig.read(home.kubeconfig)).token
    except (OSError, ValueError, LookupError):
        return ""
