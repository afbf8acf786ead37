"""Nobody gives more rights than they have: an admission hook on roles and their bindings.

Source: Kubernetes' "Using RBAC Authorization", privilege escalation prevention and bootstrapping.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from semafor.base.struct import Value
from semafor.kube.api import errors, rbac
from semafor.kube.api.options import AdmissionRequest, Admitted, User

Doc = dict[str, Any]

_ROLES, _BINDINGS = ("Role", "ClusterRole"), ("RoleBinding", "ClusterRoleBinding")
_ALL_OBJECTS: Doc = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
_ALL_PATHS: Doc = {"verbs": ["*"], "nonResourceURLs": ["*"]}
_EVERYTHING = (_ALL_OBJECTS, _ALL_PATHS)


class Right(Value):
    """One right, taken apart: a single verb on a single resource or path. `name` is empty for all objects."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    path: str = ""


class Escalation:
    """The hook. `objects` lists the stored roles and bindings."""

    def __init__(self, objects: rbac.Objects) -> None:
        self._objects = objects

    async def admit(self, request: AdmissionRequest) -> Admitted:
        """Refuse what would give rights that the writer does not have, unless they may escalate or bind."""
        new, old = request.new, request.old
        if new is None or request.kind.group != rbac.GROUP or request.user.is_admin:
            return Admitted(obj=new or {})
        if request.kind.kind in _ROLES and not _same(new, old, "rules", "aggregationRule"):
            if not self._may(request, "escalate", request.kind.plural, request.name):
                rules = list(_EVERYTHING) if new.get("aggregationRule") else new.get("rules") or []
                self._confirm(request, rules)
        elif request.kind.kind in _BINDINGS and not _same(new, old, "roleRef", "subjects"):
            ref = new["roleRef"]
            if not self._may(request, "bind", f"{ref['kind'].lower()}s", ref["name"]):
                self._confirm(request, self._referred(request, ref))
        return Admitted(obj=new)

    def _may(self, request: AdmissionRequest, verb: str, resource: str, name: str) -> bool:
        wanted = rbac.Attributes(verb=verb, group=rbac.GROUP, resource=resource, namespace=request.namespace, name=name)
        return rbac.decide(request.user, wanted, self._objects).allowed

    def _referred(self, request: AdmissionRequest, ref: Doc) -> list[Doc]:
        rules = rbac.role_rules(ref, request.namespace, self._objects)
        if rules is None:
            why = f'{ref["kind"].lower()}s.{rbac.GROUP} "{ref["name"]}" not found'
            raise errors.StatusError(404, "NotFound", why, {"name": ref["name"], "group": rbac.GROUP})
        return rules

    def _confirm(self, request: AdmissionRequest, rules: list[Doc]) -> None:
        held = list(rbac.rules_of(request.user, request.namespace, self._objects))
        missing = [right for right in rights(rules) if not any(_covers(rule, right) for rule in held)]
        if missing:
            raise errors.forbidden(request.kind, request.name, _said(request.user, missing))


def _same(new: Doc, old: Doc | None, *fields: str) -> bool:
    return old is not None and all((new.get(field) or None) == (old.get(field) or None) for field in fields)


def rights(rules: Iterable[Doc]) -> Iterator[Right]:
    """Every single right that the rules give."""
    for rule in rules:
        verbs = rule.get("verbs") or []
        for verb, path in itertools.product(verbs, rule.get("nonResourceURLs") or []):
            yield Right(verb=verb, path=path)
        parts = (verbs, rule.get("apiGroups") or [], rule.get("resources") or [], rule.get("resourceNames") or [""])
        for verb, group, resource, name in itertools.product(*parts):
            yield Right(verb=verb, group=group, resource=resource, name=name)


def _covers(rule: Doc, right: Right) -> bool:
    def listed(field: str, value: str) -> bool:
        values = rule.get(field) or []
        return "*" in values or value in values

    if not listed("verbs", right.verb):
        return False
    if right.path:
        return any(_path_covers(pattern, right.path) for pattern in rule.get("nonResourceURLs") or [])
    names = rule.get("resourceNames") or []
    return (
        listed("apiGroups", right.group)
        and rbac.covers_resource(rule.get("resources") or [], right.resource)
        and (not names or right.name in names)
    )


def _path_covers(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.rstrip("*").startswith(pattern.rstrip("*")))


def _said(user: User, missing: Iterable[Right]) -> str:
    groups = " ".join(f'"{group}"' for group in user.groups)
    lines = "\n".join(sorted(_compact(missing)))
    return (
        f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{lines}'
    )


def _compact(missing: Iterable[Right]) -> Iterator[str]:
    """What is missing as kube-apiserver prints rules: the verbs of one resource together, all else one by one."""
    by_target: dict[tuple[str, str], list[str]] = {}
    for right in missing:
        if right.path:
            yield f'{{NonResourceURLs:["{right.path}"], Verbs:["{right.verb}"]}}'
        elif right.name:
            yield f'{{{_target(right.group, right.resource)}, ResourceNames:["{right.name}"], Verbs:["{right.verb}"]}}'
        else:
            by_target.setdefault((right.group, right.resource), []).append(right.verb)
    for target, verbs in by_target.items():
        listed = " ".join(f'"{verb}"' for verb in dict.fromkeys(verbs))
        yield f"{{{_target(*target)}, Verbs:[{listed}]}}"


def _target(group: str, resource: str) -> str:
    return f'APIGroups:["{group}"], Resources:["{resource}"]'
