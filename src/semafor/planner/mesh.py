"""The mesh as the planner sees it: an immutable index over typed objects. A change makes a new one, cheaply."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from semafor.base.problem import ObjectRef, Problem
from semafor.ir import Locality
from semafor.planner import hosts
from semafor.planner.by_host import ByHost
from semafor.planner.checks import problems
from semafor.planner.memo import Memo
from semafor.planner.options import DEFAULTS, Options
from semafor.planner.proxy import Labels
from semafor.planner.routes import delegates
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.security import peer_authentication
from semafor.planner.security.request_authentication import Keys
from semafor.planner.services import alias, entries, instances, registry
from semafor.planner.services.alias import Alias
from semafor.planner.services.behind import Sources, renewed
from semafor.planner.services.entries import Entry
from semafor.planner.services.instances import Instance, Key, Pod
from semafor.planner.services.service import Service
from semafor.planner.smi import access, split
from semafor.planner.smi.split import TrafficSplit
from semafor.planner.tables import BY_KIND, TABLES, Object, Tables
from semafor.planner.traffic import destination_rule
from semafor.planner.traffic.destination_rule import DestinationRule

_NO_PODS: Mapping[Key, Pod] = {}
_ROUTES = ("virtual_services", "traffic_splits", "route_groups")


@dataclass(frozen=True, kw_only=True)
class Mesh(Tables):
    """Everything that plans are made of.

    `token_keys` are what was found where issuers of tokens have their keys.
    `behind` follows from slices, pods and nodes: the instances of each service, the same objects while they do not
    change.
    """

    options: Options = DEFAULTS
    token_keys: Mapping[str, Keys] = field(default_factory=dict)
    behind: Mapping[Key, tuple[Instance, ...]] = field(default_factory=dict, repr=False, compare=False)
    memo: Memo = field(default_factory=Memo, repr=False, compare=False)

    @classmethod
    def of(cls, objects: Iterable[Object], options: Options = DEFAULTS) -> "Mesh":
        """The mesh of these typed documents. Kinds that no plan depends on are passed over."""
        return cls(options=options).replace(objects)

    def replace(self, put: Iterable[Object] = (), drop: Iterable[ObjectRef] = ()) -> "Mesh":
        """The mesh with these objects added or changed, and those gone. This mesh stays as it is."""
        tables: dict[str, dict[Any, Any]] = {"unreadable": dict(self.unreadable)}
        for ref in drop:
            for known in BY_KIND.get((ref.group, ref.kind), ()):
                self._own(tables, known.name).pop((ref.namespace, ref.name), None)
                tables["unreadable"].pop(ref, None)
        for one in put:
            group = one.api_version.rpartition("/")[0]
            for known in BY_KIND.get((group, one.kind), ()):
                _put(self._own(tables, known.name), one, known.read, tables["unreadable"])
        new = Sources(*(tables.get(name, getattr(self, name)) for name in Sources._fields))
        behind = renewed(self.behind, Sources(self.slices, self.pods, self.nodes), new)
        return Mesh(**{**self._fields(), **tables, "behind": behind, "memo": Memo(self.memo)})

    def with_token_keys(self, keys: Mapping[str, Keys]) -> "Mesh":
        """The mesh after keys of issuers of tokens have been found, or have gone."""
        return Mesh(**{**self._fields(), "token_keys": keys, "memo": Memo(self.memo)})

    def _own(self, tables: dict[str, dict[Any, Any]], name: str) -> dict[Any, Any]:
        """The next mesh's own copy of a table."""
        if name not in tables:
            tables[name] = dict(getattr(self, name))
        return tables[name]

    @cached_property
    def all_but_routes(self) -> object:
        """The same object while nothing changes but what VirtualServices and TrafficSplits say."""
        inputs = tuple(getattr(self, table.name) for table in TABLES if table.name not in _ROUTES)
        return self.memo("all but routes", inputs, object)

    @cached_property
    def all_but_routes_and_instances(self) -> object:
        """The same, while what is behind services changes too: then their `instances` are to be looked at besides."""
        inputs = tuple(getattr(self, table.name) for table in TABLES if table.name not in (*_ROUTES, *Sources._fields))
        return self.memo("all but routes and instances", inputs, object)

    @property
    def tables(self) -> tuple[Mapping[Any, Any], ...]:
        """All tables, to compare with those of another generation."""
        return (*(getattr(self, table.name) for table in TABLES), self.unreadable, self.token_keys)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @cached_property
    def by_host(self) -> Mapping[str, Service]:
        """All services by host, sorted by host; of several for one host the one that most callers see.

        For what one caller sees, ask `visible` or `service`.
        """
        return self.memo("by host", self._registries, lambda: registry.by_host(self.every_service()))

    def visible(self, namespace: str) -> Mapping[str, Service]:
        """The services that callers of the namespace see, by host, sorted by host."""
        if self._is_open:
            return self.by_host
        by_host = registry.by_host
        return self.memo(("visible", namespace), self._registries, lambda: by_host(self.every_service(), namespace))

    @cached_property
    def _is_open(self) -> bool:
        """Whether everybody sees every service, so that one table is enough for all."""
        return self.memo("is open", self._registries, lambda: registry.is_open(self.every_service()))

    def service(self, host: str, namespace: str) -> Service | None:
        """The service that callers of `namespace` mean by the host: its own, else the one of the closest wildcard."""
        host, seen = self.meant(host), self.visible(namespace)
        if host in seen:
            return seen[host]
        wildcards = self.memo(("wildcards", namespace), (seen,), lambda: registry.wildcards(seen))
        return next((seen[pattern] for pattern in wildcards if hosts.covers(pattern, host)), None)

    def meant(self, host: str) -> str:
        """The host itself, or what it is an alias of."""
        if not self.aliases:
            return host
        return alias.meant(host, self._aliases)

    @property
    def _aliases(self) -> Mapping[str, Alias]:
        return self.memo("aliases", (self.aliases,), lambda: {each.host: each for each in self.aliases.values()})

    def alias(self, host: str) -> Alias | None:
        """What the host is another name for, if it is one."""
        return self._aliases.get(host) if self.aliases else None

    def aliases_of(self, host: str) -> tuple[Alias, ...]:
        """The aliases that mean the host."""
        if not self.aliases:
            return ()
        found = self.memo("aliases by target", (self.aliases,), lambda: alias.by_target(self.aliases.values()))
        return found.get(host, ())

    @property
    def _registries(self) -> tuple[object, ...]:
        return (self.services, self.entries)

    def every_service(self) -> Iterator[Service]:
        """All services, of several for one host each."""
        yield from self.services.values()
        yield from (entry.service for entry in self.entries.values())

    @cached_property
    def entries(self) -> Mapping[Key, Entry]:
        """The services of ServiceEntries, by namespace and host."""
        return self.memo("entries", (self.service_entries,), self._entries)

    def _entries(self) -> Mapping[Key, Entry]:
        """Those that a change did not touch stay the same objects."""
        made = entries.by_host(self.service_entries.values(), self.options.allocated_network)

        def kept(key: Key, entry: Entry) -> Entry:
            return self.memo(("entry", key, entry.service.addresses), entry.parts, lambda: entry)

        return {key: kept(key, entry) for key, entry in made.items()}

    def instances(self, of: Service) -> tuple[Instance, ...]:
        """The instances of the service that may be called now."""
        found, policies = self._instances(of), self.peer_authentications
        if not policies:
            return found
        inputs = (found, policies, self.options)
        return self.memo(("told", of.namespace, of.host), inputs, lambda: self._told(found))

    def _told(self, found: tuple[Instance, ...]) -> tuple[Instance, ...]:
        return peer_authentication.told(self.peer_authentications, self.options.root_namespace, found)

    def _instances(self, of: Service) -> tuple[Instance, ...]:
        key, workloads = (of.namespace, of.name), self.workload_entries
        if of.registry == "ServiceEntry":
            return self._entry_instances(self.entries[key])
        behind = self.behind.get(key, ())
        if not of.selector or not workloads:
            return behind
        return self.memo(("joined", key), (of, behind, workloads), lambda: entries.joined(of, behind, workloads))

    def _entry_instances(self, entry: Entry) -> tuple[Instance, ...]:
        key = ("entry instances", entry.service.namespace, entry.service.host)
        pods = self.pods if entry.service.selector else _NO_PODS
        inputs = (entry, self.workload_entries, pods)
        return self.memo(key, inputs, lambda: entries.instances(entry, self.workload_entries, pods))

    @cached_property
    def _rules(self) -> "ByHost[DestinationRule]":
        pairs = ((rule.host, rule) for rule in self.destination_rules.values())
        return self.memo("rules by host", (self.destination_rules,), lambda: ByHost(pairs))

    def rule(self, host: str, namespace: str, of: str, labels: Labels = ()) -> DestinationRule | None:
        """What DestinationRules say of the host of a service of the namespace `of` to callers of `namespace`.

        `labels` are the caller's, as far as some rule asks for them.
        """
        order = (namespace, of, self.options.root_namespace)
        key = ("rule", host, namespace, labels)
        return self.memo(key, (self.destination_rules,), lambda: self._rule(host, order, labels))

    def _rule(self, host: str, order: tuple[str, str, str], labels: Labels) -> DestinationRule | None:
        covering = (rule for _, rule in self._rules.covering(host) if rule.is_for(order[0], labels))
        seen = tuple(r for r in covering if hosts.visible(r.export_to, r.origin.ref.namespace, order[0]))
        return destination_rule.choose(seen, order)

    def labels(self, namespace: str, pod: str) -> Labels:
        """The pod's labels, and those that say where it is."""
        return instances.all_labels(self.pods.get((namespace, pod)), self.nodes)

    def locality(self, namespace: str, pod: str) -> Locality:
        """Where the pod is."""
        return instances.locality(self.pods.get((namespace, pod)), self.nodes)

    @cached_property
    def routed(self) -> Mapping[Key, VirtualService]:
        """The VirtualServices that have hosts, with the routes of their delegates in place."""
        return self.memo("routed", (self.virtual_services,), self._routed)

    def _routed(self) -> Mapping[Key, VirtualService]:
        services = ((key, vs) for key, vs in self.virtual_services.items() if vs.hosts)
        return {key: self._with_delegates(vs) if vs.routes.written else vs for key, vs in services}

    def _with_delegates(self, vs: VirtualService) -> VirtualService:
        keys, find = delegates.named(vs), self.virtual_services.get
        return self.memo(("joined", vs.origin.ref), (vs, *map(find, keys)), lambda: delegates.joined(vs, find))

    @cached_property
    def all_virtual_services(self) -> tuple[VirtualService, ...]:
        """The VirtualServices, and what other APIs say in their form. The same object while none of them changes."""
        roots = self._registries if self.traffic_splits else ()
        inputs = (self.routed, self.traffic_splits, self.route_groups, *roots)
        return self.memo("all virtual services", inputs, self._all_virtual_services)

    def _all_virtual_services(self) -> tuple[VirtualService, ...]:
        return (*self.routed.values(), *map(self._split, self.traffic_splits.values()))

    def saying(self, ref: ObjectRef) -> tuple[VirtualService, ...]:
        """The VirtualServices with something of the object."""
        inputs = (self.all_virtual_services,)
        return self.memo("virtual services by object", inputs, self._by_object).get(ref, ())

    def _by_object(self) -> Mapping[ObjectRef, tuple[VirtualService, ...]]:
        found: dict[ObjectRef, list[VirtualService]] = {}
        for vs in self.all_virtual_services:
            own = vs.origin.ref
            others = {step.origin.ref for step in vs.steps if step.origin.ref is not own}
            others |= {problem.ref for problem in vs.problems}
            for ref in {own, *others}:
                found.setdefault(ref, []).append(vs)
        return {ref: tuple(each) for ref, each in found.items()}

    @property
    def traffic_specs(self) -> access.Specs:
        """What SMI's objects call the kinds of traffic."""
        return access.Specs(groups=self.route_groups, ports=self.port_groups)

    def _split(self, one: TrafficSplit) -> VirtualService:
        groups = {key: self.route_groups[key] for key in one.keys if key in self.route_groups}
        root = self.service(one.host, one.origin.ref.namespace)
        inputs = (one, root, *groups.values())
        return self.memo(("split", one.origin.ref), inputs, lambda: split.virtual_service(one, groups, root))

    @cached_property
    def routing_by_host(self) -> "ByHost[VirtualService]":
        """The VirtualServices that sidecars use."""
        pairs = ((host, vs) for vs in self.all_virtual_services if vs.in_mesh for host in vs.hosts)
        return self.memo("routing by host", (self.all_virtual_services,), lambda: ByHost(pairs))

    def routing(self, host: str, namespace: str) -> tuple[VirtualService, ...]:
        """The VirtualServices for the host that callers of `namespace` see, the newest first.

        Those with the most specific host that covers it; the others do not count.
        """
        inputs = (self.all_virtual_services,)
        return self.memo(("routing", host, namespace), inputs, lambda: self.chosen_routing(host, namespace))

    def chosen_routing(
        self, host: str, namespace: str, counts: Callable[[VirtualService], bool] = lambda _: True
    ) -> tuple[VirtualService, ...]:
        """The same, of those that count."""
        covering = self.routing_by_host.covering(host)
        seen = [(h, vs) for h, vs in covering if hosts.visible(vs.export_to, vs.origin.ref.namespace, namespace)]
        seen = [(pattern, vs) for pattern, vs in seen if counts(vs)]
        if len(seen) < 2:
            return tuple(vs for _, vs in seen)
        best = max((pattern for pattern, _ in seen), key=hosts.specificity)
        chosen = {vs.origin.ref: vs for pattern, vs in seen if pattern == best}
        return tuple(sorted(chosen.values(), key=lambda vs: vs.age, reverse=True))


def _put(table: dict[Key, Any], one: Object, read: Callable[[Any], Any], unreadable: dict[ObjectRef, Problem]) -> None:
    """Read the object into the table; one that can not be read is told of, and counts as absent."""
    meta = one.metadata
    group = one.api_version.rpartition("/")[0]
    ref = ObjectRef(kind=one.kind, namespace=meta.namespace, name=meta.name, group=group)
    table.pop((meta.namespace, meta.name), None)
    unreadable.pop(ref, None)
    try:
        value = read(one)
    except ValueError as error:
        unreadable[ref] = problems.unusable(ref, str(error))
        return
    except Exception as error:  # noqa: BLE001 - a fault of ours that one object brings out must not stop the mesh
        unreadable[ref] = problems.unusable(ref, f"it cannot be read ({type(error).__name__}: {error})")
        return
    if value is not None:
        table[meta.namespace, meta.name] = value
