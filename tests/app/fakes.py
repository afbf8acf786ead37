"""Delivery that takes everything at once, and proxies without certificates."""

from types import SimpleNamespace
from typing import Any, cast

from semafor import ir
from semafor.app.identities import Identities
from semafor.base import xds
from semafor.base.xds import Resources
from semafor.envoy.render import Renderer


class Delivery:
    """A fleet.Delivery: every proxy is connected, and has at once what it is told."""

    def __init__(self) -> None:
        self.told: dict[str, Resources] = {}
        self.generations: dict[str, int] = {}

    @property
    def connected(self) -> tuple[str, ...]:
        return tuple(self.told)

    def push(self, proxy: str, resources: Resources, generation: int) -> None:
        self.told[proxy], self.generations[proxy] = resources, generation

    def forget(self, proxy: str) -> None:
        self.told.pop(proxy, None)

    def refuses(self, proxy: str, type_url: str) -> bool:
        return False

    def states(self, _: str) -> dict[str, str]:
        return {xds.CLUSTER: "SYNCED"}

    def settled(self, proxy: str) -> int:
        return self.generations.get(proxy, 0)


class FaultyRenderer(Renderer):
    """Fails for the proxies in `broken`."""

    broken: frozenset[str] = frozenset()

    def render(self, plan: ir.Plan) -> Resources:
        if plan.proxy in self.broken:
            raise RuntimeError("a fault of ours")
        return super().render(plan)


def identities() -> Identities:
    nothing = SimpleNamespace(want=lambda *_: None, of=lambda _: Resources({}), forget=lambda _: None)
    return cast("Any", nothing)
