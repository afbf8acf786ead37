"""Bearer tokens that are known in advance: the administrator's, in the kubeconfig."""

import hmac
from collections.abc import Mapping

from semafor.kube.api.options import Authenticate, User


def known(users: Mapping[str, User]) -> Authenticate:
    """Authenticate the tokens in `users`; each is compared in a time that does not tell where it differs."""

    def authenticate(token: str) -> User | None:
        given, found = token.encode(), None
        for secret, user in users.items():
            if hmac.compare_digest(given, secret.encode()):
                found = user
        return found

    return authenticate


def either(*methods: Authenticate) -> Authenticate:
    """The first user that one of the methods knows."""

    def authenticate(token: str) -> User | None:
        return next((user for method in methods if (user := method(token)) is not None), None)

    return authenticate
