"""From IstioOperators to one installation: the profile, what each object and setting says on top, and what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml

from semafor.base.problem import ObjectRef, Problem
from semafor.installation import components, keys, paths, translate, values
from semafor.installation.keys import THE_MACHINES, Idle, Remark, Tree
from semafor.installation.merge import overlay
from semafor.resources import marks

Doc = dict[str, Any]
Home = Literal["machine", "cluster"]

PROFILES = ("default", "demo", "minimal", "empty")
_OTHERS = ("ambient", "external", "openshift", "preview", "remote", "stable")  # Istio's further profiles
DEFAULT = "default"  # the profile where none is named, and the revision that has no name
NAMESPACE = "istio-system"
GROUP = "install.istio.io"
_LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")  # Envoy's
_KINDS = {"ingressGateways": "ingressgateway", "egressGateways": "egressgateway"}

TREE: dict[str, Tree] = {
    "profile": "text",
    "hub": THE_MACHINES,
    "tag": THE_MACHINES,
    "namespace": "text",
    "revision": "text",
    "meshConfig": "any",
    "components": components.TREE,
    "values": values.TREE,
    "installPackagePath": Idle("there are no charts elsewhere"),
    "resourceSuffix": Idle("Istio makes nothing of it either"),
    "compatibilityVersion": Idle("differences to Istio are switched in meshConfig, below semafor"),
    "defaultRevision": Idle("say it with a tag: semafor tag set default --revision NAME"),
    "addonComponents": Idle("apply the manifests of the add-ons"),
    "unvalidatedValues": Idle("there are no charts of others"),
}


class Layer(NamedTuple):
    """What one IstioOperator says, and which one it is."""

    ref: ObjectRef
    spec: Doc


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the installation. `k8s` has Kubernetes' settings in the words of KubernetesResourcesSpec.

    `more` has what only values can say: `podLabels`, `labels`, `accountAnnotations`, `pod` (fields of its
    spec).
    """

    kind: str  # base, pilot, ingressGateways, egressGateways
    name: str
    enabled: bool = True
    namespace: str = NAMESPACE
    labels: Mapping[str, str] = field(default_factory=dict)
    k8s: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What is to be installed. `revision` is empty for the one without a name. Parts that are off are not named."""

    profile: str = DEFAULT
    revision: str = ""
    namespace: str = NAMESPACE
    hub: str = ""
    tag: str = ""
    components: tuple[Component, ...] = ()
    mesh_config: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)  # all of it, as `profile dump` shows it

    @property
    def name(self) -> str:
        """What objects of the installation are labelled with."""
        return owner(self.revision)

    def named(self, name: str) -> str:
        """The name of an object of the control plane, which tells revisions apart: `istiod-canary`."""
        return f"{name}-{self.revision}" if self.revision else name


def owner(revision: str) -> str:
    """The name of the installation of a revision, and of the IstioOperator that commands write."""
    return f"installed-state-{revision}" if revision else "installed-state"


def ref(name: str, namespace: str = NAMESPACE) -> ObjectRef:
    return ObjectRef(kind="IstioOperator", name=name, namespace=namespace, group=GROUP)


def revision(spec: Mapping[str, Any]) -> str:
    """The revision that a spec is for; empty for the one without a name."""
    of_values = (_at(spec, "values", "revision"), _at(spec, "values", "global", "revision"))
    found = next((each for each in (spec.get("revision"), *of_values) if each), "")
    return "" if found == DEFAULT else str(found)


@cache
def tree(home: Home) -> Tree:
    """The keys there are; images and clusters mean something where there are clusters."""
    return TREE if home == "machine" else _for_clusters(TREE)


def _for_clusters(tree_: Tree) -> Tree:
    if isinstance(tree_, dict):
        return {key: _for_clusters(inner) for key, inner in tree_.items()}
    if isinstance(tree_, list):
        return [_for_clusters(tree_[0])]
    return "any" if tree_ is THE_MACHINES else tree_


@cache
def _profile(name: str) -> Doc:
    text = (files("semafor.installation") / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")
    found: Doc = yaml.safe_load(text)
    return found


def profile(name: str) -> Doc:
    """The spec of a profile. Raises KeyError."""
    if name not in PROFILES:
        raise KeyError(name)
    return {"profile": name, **_profile(name)}


def with_settings(spec: Doc, settings: Sequence[str]) -> Doc:
    """The spec with what `--set` says of it. Raises paths.WrongPath."""
    for text in settings:
        steps, value = paths.setting(text)
        spec = paths.put(spec, _by_name(spec, steps), value)
    return spec


def _by_name(spec: Doc, steps: tuple[paths.Step, ...]) -> tuple[paths.Step, ...]:
    """The path with the number of a gateway replaced by its name: the profile's gateways count, too."""
    if len(steps) < 3 or steps[0] != "components" or steps[1] not in _KINDS or not isinstance(steps[2], int):
        return steps
    base = _profile(spec["profile"]) if spec.get("profile") in PROFILES else _profile(DEFAULT)
    kind = str(steps[1])
    known = _gateways(kind, overlay(base, spec))
    if not 0 <= steps[2] < len(known):
        return steps
    return ("components", kind, paths.Selected("name", known[steps[2]]["name"]), *steps[3:])


def resolve(layers: Sequence[Layer], *, home: Home = "machine") -> tuple[Installation, tuple[Problem, ...]]:
    """The installation that these objects ask for, the last one over the others, and what is wrong with each.

    A problem with the severity "error" means that nothing should be installed: the last good one stays.
    """
    problems = [_problem(layer.ref, remark) for layer in layers for remark in _remarks(layer, home)]
    if any(problem.severity == "error" for problem in problems):
        return Installation(), tuple(problems)
    specs = [_as_meant(layer.spec) for layer in layers]
    named = [spec["profile"] for spec in specs if spec.get("profile")]
    own_revision = next((found for spec in reversed(specs) if (found := revision(spec))), "")
    chosen = named[-1] if named else "minimal" if own_revision else DEFAULT
    merged: Doc = _profile(chosen)
    if own_revision:  # the gateways of a profile belong to the revision without a name
        merged = {**merged, "components": {**merged["components"], **{kind: [] for kind in _KINDS}}}
    for spec in specs:
        merged = overlay(merged, spec)
    return _installation({**merged, "profile": chosen}, own_revision), tuple(problems)


def _as_meant(spec: Doc) -> Doc:
    """The spec in Istio's present words: keys of old files are moved to where they belong now."""
    parts = dict(spec.get("components") or {})
    for old, new in components.MEANT.items():
        if isinstance(parts.get(old), dict):
            one = {"name": f"istio-{_KINDS[new]}", **parts.pop(old)}
            parts[new] = overlay(parts.get(new) or [], [one], name=new)
    spec = {**spec, "components": {**parts, **{kind: _gateways(kind, spec | {"components": parts}) for kind in _KINDS}}}
    resources = _guides_resources(spec)
    if resources is not None:
        moved = {"global": {"proxy": {"resources": resources}}}
        spec = {**spec, "values": overlay(moved, spec.get("values") or {})}
        rest = {key: value for key, value in spec["meshConfig"]["defaultConfig"].items() if key != "resources"}
        mesh_config = {key: value for key, value in spec["meshConfig"].items() if key != "defaultConfig"}
        spec["meshConfig"] = mesh_config | ({"defaultConfig": rest} if rest else {})
    return {key: value for key, value in spec.items() if value not in (None, "")}


def _guides_resources(spec: Doc) -> Any:
    """Resources of proxies in `meshConfig.defaultConfig`, where Istio has none, and people write them."""
    mesh_config = spec.get("meshConfig")
    default_config = mesh_config.get("defaultConfig") if isinstance(mesh_config, dict) else None
    return default_config.get("resources") if isinstance(default_config, dict) else None


def _gateways(kind: str, spec: Doc) -> list[Doc]:
    """The gateways of the kind, each with its name."""
    found = (spec.get("components") or {}).get(kind) or []
    return [{**one, "name": one.get("name") or f"istio-{_KINDS[kind]}"} for one in found]


# --- what is wrong ----------------------------------------------------------------------------------------------------


def _remarks(layer: Layer, home: Home) -> Iterator[Remark]:
    spec = layer.spec
    parts = spec.get("components") if isinstance(spec.get("components"), dict) else {}
    known = dict(components.TREE)
    for old, new in components.MEANT.items():
        if old in (parts or {}):
            known[old] = known[new][0]
            message = f"is taken as an element of {new}, which is Istio's word"
            yield Remark(f"spec.components.{old}", "OldName", message, f"write {new}: [{{name: istio-{old.lower()}}}]")
    whole = {**tree(home), "components": known if home == "machine" else _for_clusters(known)}
    for remark in keys.remarks(whole, spec, "spec"):
        if not remark.path.endswith("hpaSpec.scaleTargetRef"):  # it can only be the component's own Deployment
            yield remark
    yield from _choices(spec)
    if _guides_resources(spec) is not None:
        message = "is taken as values.global.proxy.resources, which is Istio's place for it"
        yield Remark("spec.meshConfig.defaultConfig.resources", "OldName", message, "write it there")
        yield from keys.remarks(
            values.TREE["global"]["proxy"]["resources"],
            _guides_resources(spec),
            "spec.meshConfig.defaultConfig.resources",
        )


def _choices(spec: Doc) -> Iterator[Remark]:
    name = spec.get("profile")
    if isinstance(name, str) and name and name not in PROFILES:
        why = "is a profile of Istio's that is not supported" if name in _OTHERS else "is no profile"
        yield keys.wrong("spec.profile", f"{name} {why}", f"the profiles are {', '.join(PROFILES)}")
    found = revision(spec)
    if found and (why := marks.DNS_LABEL.test(found)):
        yield keys.wrong("spec.revision", f"{found!r} is no name: {why}", "write it with dashes: 1-2-3")
    for path in (("namespace",), ("values", "global", "istioNamespace")):
        if _at(spec, *path) not in (None, "", NAMESPACE):
            message = "has no effect: the control plane is in istio-system"
            yield Remark(".".join(("spec", *path)), "NotSupported", message, "remove it")
    proxy = ("values", "global", "proxy")
    yield from _one_of(spec, (*proxy, "autoInject"), ("enabled", "disabled"))
    yield from _one_of(spec, (*proxy, "logLevel"), _LEVELS)


def _one_of(spec: Doc, path: tuple[str, ...], allowed: tuple[str, ...]) -> Iterator[Remark]:
    value = _at(spec, *path)
    if isinstance(value, str) and value and value not in allowed:
        words = f"write {', '.join(allowed[:-1])} or {allowed[-1]}"
        yield keys.wrong(".".join(("spec", *path)), f"{value!r} is none of the words that are known", words)


def _at(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _problem(where: ObjectRef, remark: Remark) -> Problem:
    return Problem(
        ref=where,
        path=remark.path,
        reason=remark.reason,
        message=remark.message,
        fix=remark.fix,
        severity="error" if remark.is_error else "warning",
    )


# --- what is meant ----------------------------------------------------------------------------------------------------


def _installation(spec: Doc, own_revision: str) -> Installation:
    of_values = dict(spec.get("values") or {})
    mesh_config = overlay(of_values.pop("meshConfig", None) or {}, spec.get("meshConfig") or {})
    mesh_config = translate.mesh_config(spec, mesh_config)
    global_ = of_values.get("global") or {}
    parts = [
        _base(spec),
        *_pilot(spec, of_values),
        *(one for kind in _KINDS for one in _of_kind(kind, spec, of_values)),
    ]
    return Installation(
        profile=spec["profile"],
        revision=own_revision,
        hub=str(spec.get("hub") or global_.get("hub") or ""),
        tag=str(spec.get("tag") or global_.get("tag") or ""),
        components=tuple(part for part in parts if part.enabled),
        mesh_config=mesh_config,
        values=of_values,
        spec=spec,
    )


def _base(spec: Doc) -> Component:
    one = (spec.get("components") or {}).get("base") or {}
    return Component(kind="base", name="base", enabled=one.get("enabled") is not False, k8s=one.get("k8s") or {})


def _pilot(spec: Doc, of_values: Doc) -> Iterator[Component]:
    one = (spec.get("components") or {}).get("pilot") or {}
    charts = of_values.get("pilot") or {}
    k8s = overlay(translate.k8s(charts, of_values.get("global") or {}), one.get("k8s") or {})
    enabled = one.get("enabled") is not False
    yield Component(kind="pilot", name="istiod", enabled=enabled, k8s=k8s, more=translate.more(charts))


def _of_kind(kind: str, spec: Doc, of_values: Doc) -> Iterator[Component]:
    charts = (of_values.get("gateways") or {}).get(f"istio-{_KINDS[kind]}") or {}
    for one in _gateways(kind, spec):
        own = {"app": one["name"], "istio": _KINDS[kind]}
        yield Component(
            kind=kind,
            name=one["name"],
            enabled=one.get("enabled") is not False,
            namespace=one.get("namespace") or NAMESPACE,
            labels={**own, **(charts.get("labels") or {}), **(one.get("label") or {})},
            k8s=overlay(translate.k8s(charts, of_values.get("global") or {}), one.get("k8s") or {}),
            more=translate.more(charts),
        )


__all__ = ["Component", "Home", "Installation", "Layer", "owner", "profile", "resolve", "revision"]
