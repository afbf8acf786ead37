"""ClusterRoles that are made of others: their rules are those of all roles that their selectors find."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.kube.controllers.reconcile import Key, Watch
from semafor.resources import selector
from semafor.resources.rbac.rbac import CLUSTER_ROLE

Doc = dict[str, Any]


class Aggregation:
    """The controller."""

    def __init__(self, client: Client) -> None:
        self.watches: tuple[Watch, ...] = (Watch(CLUSTER_ROLE, self._concerned),)
        self._client = client

    def _concerned(self, _: Doc) -> list[Key]:
        """Any role may be part of any aggregated one, and there are few."""
        roles = self._client.list(CLUSTER_ROLE)
        return [Key("", role["metadata"]["name"]) for role in roles if role.get("aggregationRule")]

    async def reconcile(self, key: Key) -> None:
        role = self._client.get(CLUSTER_ROLE, "", key.name)
        if role is None or not role.get("aggregationRule"):
            return
        rules = aggregated(role, self._client.list(CLUSTER_ROLE))
        if rules != (role.get("rules") or []):
            await self._client.patch(CLUSTER_ROLE, "", key.name, {"rules": rules})


def aggregated(role: Doc, others: list[Doc]) -> list[Doc]:
    """The rules of all roles that are selected, by name and each once."""
    found: list[Doc] = []
    for wanted in role["aggregationRule"].get("clusterRoleSelectors") or []:
        for other in sorted(others, key=lambda other: str(other["metadata"]["name"])):
            if other is role or other["metadata"]["name"] == role["metadata"]["name"]:
                continue
            if selector.matches(wanted, other["metadata"].get("labels") or {}):
                found += [rule for rule in other.get("rules") or [] if rule not in found]
    return found
