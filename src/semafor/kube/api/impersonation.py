"""Acting as somebody else, as `kubectl --as` asks: who is meant, and what one has to be allowed for that."""

from collections.abc import Iterable
from urllib.parse import unquote

from semafor.kube.api import errors, rbac
from semafor.kube.api.options import ANONYMOUS, User

Headers = Iterable[tuple[bytes, bytes]]

_PREFIX, _EXTRA = "impersonate-", "extra-"
_ACCOUNT = "system:serviceaccount:"
_AUTHENTICATION = "authentication.k8s.io"


def requested(headers: Headers) -> User | None:
    """The user to act as, with the groups that every such user is in; None when nobody asks. Raises StatusError."""
    asked = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    parts = [(name.removeprefix(_PREFIX), value) for name, value in asked if name.startswith(_PREFIX)]
    if not parts:
        return None
    name = next((value for part, value in parts if part == "user"), "")
    if not name:
        raise errors.bad_request("groups, uid or extra of a user are impersonated, but no user is")
    groups = tuple(value for part, value in parts if part == "group") or _of_account(name)
    everyone = ANONYMOUS.groups[0] if name == ANONYMOUS.name else "system:authenticated"
    return User(
        name=name,
        uid=next((value for part, value in parts if part == "uid"), ""),
        groups=groups if everyone in groups else (*groups, everyone),
        extra=_extra(parts),
    )


def permissions(wanted: User, headers: Headers) -> list[rbac.Attributes]:
    """What whoever asks must be allowed to do. Only groups that were asked for count, not those that follow."""
    named = [value.decode("latin-1") for name, value in headers if name.lower() == b"impersonate-group"]
    needed = [_of_user(wanted.name), *(_may("groups", group) for group in named)]
    needed += [_may("uids", wanted.uid, _AUTHENTICATION)] if wanted.uid else []
    for key, values in wanted.extra:
        needed += [_may("userextras", value, _AUTHENTICATION, subresource=key) for value in values]
    return needed


def _of_user(name: str) -> rbac.Attributes:
    namespace, colon, account = name.removeprefix(_ACCOUNT).partition(":")
    if name.startswith(_ACCOUNT) and colon:
        return rbac.Attributes(verb="impersonate", resource="serviceaccounts", namespace=namespace, name=account)
    return _may("users", name)


def _may(resource: str, name: str, group: str = "", subresource: str = "") -> rbac.Attributes:
    return rbac.Attributes(verb="impersonate", group=group, resource=resource, subresource=subresource, name=name)


def _of_account(name: str) -> tuple[str, ...]:
    if not name.startswith(_ACCOUNT):
        return ()
    namespace = name.removeprefix(_ACCOUNT).partition(":")[0]
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}"


def _extra(parts: list[tuple[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, tuple[str, ...]] = {}
    for part, value in parts:
        if part.startswith(_EXTRA):
            key = unquote(part.removeprefix(_EXTRA))
            found[key] = (*found.get(key, ()), value)
    return tuple(found.items())
