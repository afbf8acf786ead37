"""Role-based access for everybody but the administrators. Source: Kubernetes' "Using RBAC Authorization".

Pure over a view of the Role, ClusterRole, RoleBinding and ClusterRoleBinding objects.
"""

from collections.abc import Callable, Iterator
from typing import Any

from semafor.base.struct import Value
from semafor.kube.api.errors import StatusError
from semafor.kube.api.options import User

Doc = dict[str, Any]
Objects = Callable[[str], list[Doc]]  # a resource's name to all its objects

_GROUP = "rbac.authorization.k8s.io"
_ALL = "*"
# What every signed-in user may do, as the roles system:basic-user and system:discovery have it.
_DISCOVERY = ("/api", "/apis", "/openapi", "/healthz", "/livez", "/readyz", "/version")
_SELF_REVIEWS = frozenset({"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"})


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


def may(user: User, wanted: Attributes, objects: Objects) -> bool:
    """Whether the user is allowed to do this."""
    if user.is_admin or _basic(wanted):
        return True
    return any(_allows(rule, wanted) for rule in rules_of(user, wanted.namespace, objects))


def rules_of(user: User, namespace: str, objects: Objects) -> Iterator[Doc]:
    """The rules that apply to the user in a namespace ("" for cluster scope)."""
    for binding in objects(f"clusterrolebindings.{_GROUP}"):
        if _binds(binding, user):
            yield from _rules(binding, objects)
    for binding in objects(f"rolebindings.{_GROUP}") if namespace else ():
        if binding["metadata"]["namespace"] == namespace and _binds(binding, user):
            yield from _rules(binding, objects)


def _basic(wanted: Attributes) -> bool:
    if wanted.path:
        on_list = any(wanted.path == path or wanted.path.startswith(f"{path}/") for path in _DISCOVERY)
        return on_list and wanted.verb in ("get", "head")
    return wanted.verb == "create" and wanted.resource in _SELF_REVIEWS


def _binds(binding: Doc, user: User) -> bool:
    return any(_is(subject, binding, user) for subject in binding.get("subjects") or [])


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


def _rules(binding: Doc, objects: Objects) -> list[Doc]:
    ref = binding.get("roleRef", {})
    resource = {"ClusterRole": "clusterroles", "Role": "roles"}.get(ref.get("kind", ""), "")
    namespace = binding["metadata"].get("namespace", "") if resource == "roles" else ""
    for role in objects(f"{resource}.{_GROUP}") if resource else ():
        if role["metadata"]["name"] == ref.get("name") and role["metadata"].get("namespace", "") == namespace:
            return list(role.get("rules") or [])
    return []


def _allows(rule: Doc, wanted: Attributes) -> bool:
    if not _covers(rule, "verbs", wanted.verb):
        return False
    if wanted.path:
        return any(_path_matches(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or [])
    names = rule.get("resourceNames") or []
    return (
        _covers(rule, "apiGroups", wanted.group)
        and _covers_resource(rule, wanted)
        and (not names or wanted.name in names)
    )


def _covers(rule: Doc, field: str, value: str) -> bool:
    listed = rule.get(field) or []
    return _ALL in listed or value in listed


def _covers_resource(rule: Doc, wanted: Attributes) -> bool:
    listed = rule.get("resources") or []
    return _covers(rule, "resources", wanted.full_resource) or (
        bool(wanted.subresource) and f"*/{wanted.subresource}" in listed
    )


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in (_ALL, path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def refusal(user: User, wanted: Attributes) -> StatusError:
    """403 as kube-apiserver words it."""
    if wanted.path:
        return StatusError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"')
    scope = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    resource = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    what = f'{resource} "{wanted.name}"' if wanted.name else resource
    message = (
        f'{what} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" '
        f'in API group "{wanted.group}" {scope}'
    )
    details = {"name": wanted.name, "group": wanted.group, "kind": wanted.resource}
    return StatusError(403, "Forbidden", message, {key: value for key, value in details.items() if value})
