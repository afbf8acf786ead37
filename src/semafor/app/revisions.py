"""The revisions that are installed, and the tags that stand for them: read off their objects. Pure.

A revision is there while the ConfigMap is that its sidecars are made by.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from semafor.installation import machine, sidecar
from semafor.installation.sidecar import Policy
from semafor.resources import selector

Doc = dict[str, Any]

DEFAULT: Final = "default"


class Offer(NamedTuple):
    """The values of each revision by its name, and the revision of each tag."""

    values: Mapping[str, Mapping[str, Any]]
    tags: Mapping[str, str]

    def find(self, name: str) -> str | None:
        """The revision that is called so, by its tag or its own name; None when there is none."""
        found = self.tags.get(name, name)
        return found if found in self.values else None

    def policy(self, name: str) -> Policy:
        return sidecar.policy(self.values.get(self.tags.get(name, name), {}))


ONE: Final = Offer({DEFAULT: {}}, {})


def offer(maps: Iterable[Doc], webhooks: Iterable[Doc]) -> Offer:
    """Of the ConfigMaps of istio-system, and of all MutatingWebhookConfigurations."""
    found = {}
    for one in maps:
        name = one["metadata"]["name"]
        if name == machine.INJECTOR or name.startswith(f"{machine.INJECTOR}-"):
            found[name.removeprefix(machine.INJECTOR).removeprefix("-") or DEFAULT] = _values(one)
    return Offer(found, tags(webhooks))


def _values(one: Doc) -> Mapping[str, Any]:
    try:
        values = json.loads((one.get("data") or {}).get("values") or "{}")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def tags(webhooks: Iterable[Doc]) -> dict[str, str]:
    """The revision of each tag."""
    labels = (one["metadata"].get("labels") or {} for one in webhooks)
    return {each[machine.TAG]: each.get(machine.WEBHOOK_REVISION, DEFAULT) for each in labels if machine.TAG in each}


def of_mesh_config(one: Doc) -> str | None:
    """The revision whose mesh configuration the ConfigMap is, empty for the one without a name; None if it is none."""
    name = one["metadata"]["name"]
    if name == machine.MESH:
        return ""
    revision = (one["metadata"].get("labels") or {}).get(machine.WEBHOOK_REVISION, "")
    return revision if revision and name == f"{machine.MESH}-{revision}" else None


def by_selectors(policy: Policy, labels: Mapping[str, str]) -> tuple[bool, str] | None:
    """What the revision's own rules say of a pod that says nothing itself; None when they say nothing either."""
    if any(selector.matches(each, labels) for each in policy.never):
        return False, "neverInjectSelector chooses it"
    if any(selector.matches(each, labels) for each in policy.always):
        return True, "alwaysInjectSelector chooses it"
    return None if policy.unless_told else (False, "autoInject is disabled, and the pod does not ask for it")
