"""Role-based access for everybody but the administrators. Source: Kubernetes' "Using RBAC Authorization".

Pure over a view of the Role, ClusterRole, RoleBinding and ClusterRoleBinding objects.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from semafor.base.struct import Value
from semafor.kube.api.errors import StatusError
from semafor.kube.api.options import User

Doc = dict[str, Any]
Objects = Callable[[str], list[Doc]]  # a resource's name to all its objects

GROUP = "rbac.authorization.k8s.io"
_ALL = "*"


class Attributes(Value):
    """What somebody wants to do: a verb on a resource, or (when `path` is set) on a path that is no resource's."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Verdict(Value):
    """Whether it is allowed, and by which binding; of a refusal, which bindings lead nowhere."""

    allowed: bool
    reason: str = ""


def decide(user: User, wanted: Attributes, objects: Objects) -> Verdict:
    """Whether the user is allowed to do this."""
    if user.is_admin:
        return Verdict(allowed=True)
    for binding, subject, rules in _bound(user, wanted.namespace, objects):
        if any(allows(rule, wanted) for rule in rules or ()):
            return Verdict(allowed=True, reason=f"RBAC: allowed by {_described(binding, subject)}")
    missing = _missing(user, wanted.namespace, objects)
    told = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
    return Verdict(allowed=False, reason=f"RBAC: {told}" if missing else "")


def rules_of(user: User, namespace: str, objects: Objects) -> Iterator[Doc]:
    """The rules that apply to the user in a namespace ("" for cluster scope)."""
    for _, _, rules in _bound(user, namespace, objects):
        yield from rules or ()


def role_rules(ref: Doc, namespace: str, objects: Objects) -> list[Doc] | None:
    """The rules of the role that a binding in `namespace` refers to; None when there is no such role."""
    resource = {"ClusterRole": "clusterroles", "Role": "roles"}.get(ref.get("kind", ""), "")
    within = namespace if resource == "roles" else ""
    for role in objects(f"{resource}.{GROUP}") if resource else ():
        if role["metadata"]["name"] == ref.get("name") and role["metadata"].get("namespace", "") == within:
            return list(role.get("rules") or [])
    return None


def _bound(user: User, namespace: str, objects: Objects) -> Iterator[tuple[Doc, Doc, list[Doc] | None]]:
    """The bindings that concern the user, each with the subject that is meant and the rules of its role."""
    for binding in objects(f"clusterrolebindings.{GROUP}"):
        if subject := _subject(binding, user):
            yield binding, subject, role_rules(binding.get("roleRef", {}), "", objects)
    for binding in objects(f"rolebindings.{GROUP}") if namespace else ():
        if binding["metadata"]["namespace"] == namespace and (subject := _subject(binding, user)):
            yield binding, subject, role_rules(binding.get("roleRef", {}), namespace, objects)


def _subject(binding: Doc, user: User) -> Doc | None:
    return next((subject for subject in binding.get("subjects") or [] if _is(subject, binding, user)), None)


def _is(subject: Doc, binding: Doc, user: User) -> bool:
    match subject.get("kind"):
        case "User":
            return subject.get("name") == user.name
        case "Group":
            return subject.get("name") in user.groups
        case "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            return user.name == f"system:serviceaccount:{namespace}:{subject.get('name')}"
    return False


def _described(binding: Doc, subject: Doc) -> str:
    """A binding in Kubernetes' words."""
    meta, ref = binding["metadata"], binding["roleRef"]
    namespace = meta.get("namespace", "")
    of = f'RoleBinding "{meta["name"]}/{namespace}"' if namespace else f'ClusterRoleBinding "{meta["name"]}"'
    is_account = subject["kind"] == "ServiceAccount"
    name = f"{subject['name']}/{subject.get('namespace') or namespace}" if is_account else subject["name"]
    return f'{of} of {ref["kind"]} "{ref["name"]}" to {subject["kind"]} "{name}"'


def _missing(user: User, namespace: str, objects: Objects) -> list[str]:
    """Roles that the user was given and that do not exist."""
    absent = [binding["roleRef"] for binding, _, rules in _bound(user, namespace, objects) if rules is None]
    return [f'{ref["kind"].lower()}.{GROUP} "{ref["name"]}" not found' for ref in absent]


def allows(rule: Doc, wanted: Attributes) -> bool:
    """Whether a rule grants what is wanted."""
    if not _covers(rule, "verbs", wanted.verb):
        return False
    if wanted.path:
        return any(_path_matches(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or [])
    names = rule.get("resourceNames") or []
    return (
        _covers(rule, "apiGroups", wanted.group)
        and covers_resource(rule.get("resources") or [], wanted.full_resource)
        and (not names or wanted.name in names)
    )


def _covers(rule: Doc, field: str, value: str) -> bool:
    listed = rule.get(field) or []
    return _ALL in listed or value in listed


def covers_resource(listed: Sequence[str], full_resource: str) -> bool:
    """Whether a resource, such as `pods` or `pods/log`, is on a rule's list, where `*` and `*/log` may stand."""
    _, slash, subresource = full_resource.partition("/")
    return _ALL in listed or full_resource in listed or (bool(slash) and f"*/{subresource}" in listed)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in (_ALL, path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def refusal(user: User, wanted: Attributes, reason: str = "") -> StatusError:
    """403 as kube-apiserver words it."""
    because = f": {reason}" if reason else ""
    if wanted.path:
        why = f'User "{user.name}" cannot {wanted.verb} path "{wanted.path}"{because}'
        return StatusError(403, "Forbidden", f"forbidden: {why}")
    scope = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    resource = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    what = f'{resource} "{wanted.name}"' if wanted.name else resource
    message = (
        f'{what} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" '
        f'in API group "{wanted.group}" {scope}{because}'
    )
    details = {"name": wanted.name, "group": wanted.group, "kind": wanted.resource}
    return StatusError(403, "Forbidden", message, {key: value for key, value in details.items() if value})
