"""Questions that kubectl and libraries ask: may I, who am I, whose token is this, give me a token.

Pure: the question, the RBAC objects and the user in, the answered document out. Nothing is stored.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from semafor.base import clock
from semafor.kube.api import errors, rbac
from semafor.kube.api.call import Call
from semafor.kube.api.errors import StatusError
from semafor.kube.api.options import Mint, Options, Reviewed, TokenAsk, User

Doc = dict[str, Any]

_DEFAULT_LIFETIME_S = 3600
_SHORTEST_S, _LONGEST_S = 600, 2**32
_DEFAULT_AUDIENCE = "https://kubernetes.default.svc.cluster.local"
_BINDABLE = {"Pod": "pods", "Secret": "secrets"}
Find = Callable[[str, str, str], Doc | None]  # resource, namespace, name


def answer(about: Call, doc: Doc, options: Options, objects: rbac.Objects) -> Doc:
    """The document with its status filled in. Raises StatusError."""
    if not isinstance(doc.get("spec", {}), dict):
        raise errors.bad_request("spec must be an object")
    spec = doc.get("spec") or {}
    answered: dict[str, Callable[[], Doc]] = {
        "SelfSubjectAccessReview": lambda: _access(about.user, spec, objects),
        "LocalSubjectAccessReview": lambda: _access(_subject(spec), _local(spec, about.namespace), objects),
        "SubjectAccessReview": lambda: _access(_subject(spec), spec, objects),
        "SelfSubjectRulesReview": lambda: _rules(about.user, spec, objects),
        "SelfSubjectReview": lambda: {"userInfo": _user_info(about.user)},
        "TokenReview": lambda: _token(spec, options),
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
    verdict = rbac.decide(user, _attributes(spec), objects)
    return {"allowed": verdict.allowed, **({"reason": verdict.reason} if verdict.reason else {})}


def _local(spec: Doc, namespace: str) -> Doc:
    """A LocalSubjectAccessReview asks about its own namespace only."""
    resource = spec.get("resourceAttributes")
    if not isinstance(resource, dict):
        raise errors.bad_request("spec.resourceAttributes: a namespaced review is about resources")
    if resource.get("namespace", "") != namespace:
        raise errors.bad_request("spec.resourceAttributes.namespace must match metadata.namespace")
    return spec


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
    groups, user = spec.get("groups"), _text(spec, "user")
    listed = tuple(str(group) for group in groups) if isinstance(groups, list) else ()
    if not user and not listed:
        raise errors.bad_request("spec.user: at least one of user or group must be specified")
    return User(name=user, uid=_text(spec, "uid"), groups=listed)


def _rules(user: User, spec: Doc, objects: rbac.Objects) -> Doc:
    namespace = _text(spec, "namespace")
    if not namespace:
        raise errors.bad_request("no namespace on request")
    granted = list(rbac.rules_of(user, namespace, objects))
    return {
        "resourceRules": [rule for rule in granted if "resources" in rule],
        "nonResourceRules": [rule for rule in granted if "nonResourceURLs" in rule],
        "incomplete": False,
    }


def _token(spec: Doc, options: Options) -> Doc:
    token, audiences = _text(spec, "token"), _audiences(spec)
    if not token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    if options.review is None:
        user = options.authenticate(token)
        reviewed = Reviewed(user=user, audiences=audiences) if user else None
    else:
        reviewed = options.review(token, audiences)
    if reviewed is None:
        return {"user": {}, "error": "[invalid bearer token, service account token is not valid]"}
    return {"authenticated": True, "user": _user_info(reviewed.user), "audiences": list(reviewed.audiences)}


def _user_info(user: User) -> Doc:
    info: Doc = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra}
    return info


def token_request(doc: Doc, account: Doc, mint: Mint | None, find: Find, now: datetime) -> Doc:
    """A TokenRequest with its token. Raises StatusError."""
    if mint is None:
        raise errors.unavailable("this API makes no service account tokens")
    spec = doc.get("spec") or {}
    if not isinstance(spec, dict):
        raise errors.bad_request("spec must be an object")
    lifetime_s = _lifetime_s(spec)
    audiences = _audiences(spec)
    meta = account["metadata"]
    token = mint(
        TokenAsk(
            namespace=meta["namespace"],
            service_account=meta["name"],
            service_account_uid=meta["uid"],
            audiences=audiences,
            lifetime_s=lifetime_s,
            bound=_bound(spec.get("boundObjectRef"), meta, find),
        )
    )
    expires = clock.stamp(now + timedelta(seconds=lifetime_s))
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "creationTimestamp": clock.stamp(now)},
        "spec": {**spec, "audiences": list(audiences), "expirationSeconds": lifetime_s},
        "status": {"token": token, "expirationTimestamp": expires},
    }


def _bound(ref: Any, account: Doc, find: Find) -> Doc | None:
    """What the token lives and dies with, as it is now: a pod of this account, or a secret."""
    if not isinstance(ref, dict):
        return None
    kind, name = _text(ref, "kind"), _text(ref, "name")
    if kind not in _BINDABLE:
        raise errors.bad_request(f"cannot bind token to object of type {_text(ref, 'apiVersion')}, Kind={kind}")
    found = find(_BINDABLE[kind], account["namespace"], name)
    if found is None:
        raise StatusError(404, "NotFound", f'{_BINDABLE[kind]} "{name}" not found', {"name": name})
    if kind == "Pod" and (found["spec"].get("serviceAccountName") or "default") != account["name"]:
        what = f'token for serviceaccount "{account["name"]}"'
        raise errors.bad_request(f"cannot bind {what} to pod running with different serviceaccount name.")
    uid = found["metadata"]["uid"]
    if ref.get("uid") and ref["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise StatusError(409, "Conflict", f'Operation cannot be fulfilled on {kind} "{name}": {why}', {"name": name})
    return {"kind": kind, "name": name, "uid": uid}


def _lifetime_s(spec: Doc) -> int:
    value = spec.get("expirationSeconds")
    if value is None:
        return _DEFAULT_LIFETIME_S
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.bad_request(f"spec.expirationSeconds: Invalid value: {value!r}: must be a number")
    if not _SHORTEST_S <= value <= _LONGEST_S:
        limit = "less than 10 minutes" if value < _SHORTEST_S else "larger than 2^32 seconds"
        wrong = f"spec.expirationSeconds: Invalid value: {value}: may not specify a duration {limit}"
        message = f'TokenRequest.authentication.k8s.io "" is invalid: {wrong}'
        raise StatusError(422, "Invalid", message, {"group": "authentication.k8s.io", "kind": "TokenRequest"})
    return value


def _audiences(spec: Doc) -> tuple[str, ...]:
    value = spec.get("audiences") or [_DEFAULT_AUDIENCE]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise errors.bad_request("spec.audiences: must be a list of strings")
    return tuple(value)
