"""Questions that kubectl and libraries ask: may I, who am I, whose token is this, give me a token.

Pure: the question, the RBAC objects and the user in, the answered document out. Nothing is stored.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from semafor.base import clock
from semafor.kube.api import errors, rbac
from semafor.kube.api.call import Call
from semafor.kube.api.options import Authenticate, Mint, TokenAsk, User

Doc = dict[str, Any]

_DEFAULT_LIFETIME_S = 3600
_SHORTEST_S, _LONGEST_S = 600, 2**32
_DEFAULT_AUDIENCE = "https://kubernetes.default.svc.cluster.local"
_ALL_VERBS: Doc = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_ALL_PATHS: Doc = {"verbs": ["*"], "nonResourceURLs": ["*"]}


def answer(about: Call, doc: Doc, authenticate: Authenticate, objects: rbac.Objects) -> Doc:
    """The document with its status filled in. Raises StatusError."""
    if not isinstance(doc.get("spec", {}), dict):
        raise errors.bad_request("spec must be an object")
    spec = doc.get("spec") or {}
    answered: dict[str, Callable[[], Doc]] = {
        "SelfSubjectAccessReview": lambda: _access(about.user, spec, objects),
        "LocalSubjectAccessReview": lambda: _access(_subject(spec), spec, objects),
        "SubjectAccessReview": lambda: _access(_subject(spec), spec, objects),
        "SelfSubjectRulesReview": lambda: _rules(about.user, spec, objects),
        "SelfSubjectReview": lambda: {"userInfo": _user_info(about.user)},
        "TokenReview": lambda: _token(spec, authenticate),
    }
    if about.kind.kind not in answered:
        raise errors.method_not_allowed()
    return {
        "kind": about.kind.kind,
        "apiVersion": about.api_version,
        "metadata": {"creationTimestamp": None},
        **({"spec": spec} if spec else {}),
        "status": answered[about.kind.kind](),
    }


def _access(user: User, spec: Doc, objects: rbac.Objects) -> Doc:
    wanted = _attributes(spec)
    if rbac.may(user, wanted, objects):
        return {"allowed": True, "reason": "RBAC: allowed by the group system:masters" if user.is_admin else ""}
    return {"allowed": False}


def _attributes(spec: Doc) -> rbac.Attributes:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if isinstance(path, dict) and resource is None:
        return rbac.Attributes(verb=_text(path, "verb"), path=_text(path, "path"))
    if not isinstance(resource, dict) or path is not None:
        raise errors.bad_request(
            "spec.resourceAttributes: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        )
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return rbac.Attributes(**{name: _text(resource, name) for name in names})


def _text(doc: Doc, name: str) -> str:
    value = doc.get(name, "")
    return value if isinstance(value, str) else ""


def _subject(spec: Doc) -> User:
    groups = spec.get("groups")
    listed = tuple(str(group) for group in groups) if isinstance(groups, list) else ()
    return User(name=_text(spec, "user"), uid=_text(spec, "uid"), groups=listed)


def _rules(user: User, spec: Doc, objects: rbac.Objects) -> Doc:
    granted = (
        [_ALL_VERBS, _ALL_PATHS] if user.is_admin else list(rbac.rules_of(user, _text(spec, "namespace"), objects))
    )
    return {
        "resourceRules": [rule for rule in granted if "resources" in rule],
        "nonResourceRules": [rule for rule in granted if "nonResourceURLs" in rule],
        "incomplete": False,
    }


def _token(spec: Doc, authenticate: Authenticate) -> Doc:
    user = authenticate(_text(spec, "token"))
    if user is None:
        return {"authenticated": False, "error": "invalid bearer token", "user": {}}
    return {"authenticated": True, "user": _user_info(user), "audiences": [_DEFAULT_AUDIENCE]}


def _user_info(user: User) -> Doc:
    info: Doc = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra}
    return info


def token_request(doc: Doc, account: Doc, mint: Mint | None, now: datetime) -> Doc:
    """A TokenRequest with its token. Raises StatusError."""
    if mint is None:
        raise errors.unavailable("this API makes no service account tokens")
    spec = doc.get("spec") or {}
    if not isinstance(spec, dict):
        raise errors.bad_request("spec must be an object")
    lifetime_s = _lifetime_s(spec)
    audiences = _audiences(spec)
    meta = account["metadata"]
    bound = spec.get("boundObjectRef")
    token = mint(
        TokenAsk(
            namespace=meta["namespace"],
            service_account=meta["name"],
            service_account_uid=meta["uid"],
            audiences=audiences,
            lifetime_s=lifetime_s,
            bound=bound if isinstance(bound, dict) else None,
        )
    )
    expires = clock.stamp(now + timedelta(seconds=lifetime_s))
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "creationTimestamp": clock.stamp(now),
        },
        "spec": {**spec, "audiences": list(audiences), "expirationSeconds": lifetime_s},
        "status": {"token": token, "expirationTimestamp": expires},
    }


def _lifetime_s(spec: Doc) -> int:
    value = spec.get("expirationSeconds")
    if value is None:
        return _DEFAULT_LIFETIME_S
    if not isinstance(value, int) or isinstance(value, bool) or not _SHORTEST_S <= value <= _LONGEST_S:
        raise errors.bad_request(
            f"spec.expirationSeconds: Invalid value: {value!r}: may not specify a duration less than 10 minutes"
        )
    return value


def _audiences(spec: Doc) -> tuple[str, ...]:
    value = spec.get("audiences") or [_DEFAULT_AUDIENCE]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise errors.bad_request("spec.audiences: must be a list of strings")
    return tuple(value)
