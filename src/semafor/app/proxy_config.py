"""Settings of proxies: ProxyConfig objects, the pod's annotation, and the mesh's defaults, put together. Pure.

They are looked up when a pod is made, as in Istio: a change counts for pods that are made after it.
Source: Istio's reference of ProxyConfig, and its function EffectiveProxyConfig.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import yaml

from semafor import resources
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.envoy.statistics import Shown
from semafor.resources.istio import proxy_config

Doc = dict[str, Any]

ANNOTATION: Final = "proxy.istio.io/config"
VARIABLE: Final = "PROXY_CONFIG"  # of the proxy's container, where its agent looks
_METADATA: Final = "ISTIO_META_"  # variables that begin so become the proxy's metadata
# Of the annotation: what is read here, and what is read or always so elsewhere.
_READ: Final = frozenset({"concurrency", "proxyMetadata", "image", "proxyStatsMatcher"})
_ELSEWHERE: Final = frozenset({"gatewayTopology", "holdApplicationUntilProxyStarts"})
_TAG: Final = re.compile(r"\w[\w.-]{0,127}")


class Settings(Value):
    """What is asked for; None and empty where nobody asks. A `concurrency` of 0 means a worker for each processor.

    `merge_metrics` is the mesh's: whether a proxy tells its application's metrics with its own.
    """

    concurrency: int | None = None
    environment: tuple[tuple[str, str], ...] = ()
    image_type: str = ""
    shown: Shown = Shown()
    merge_metrics: bool = True

    def over(self, others: "Settings") -> "Settings":
        """These settings, and of the others what these do not say."""
        return Settings(
            concurrency=others.concurrency if self.concurrency is None else self.concurrency,
            environment=tuple(sorted({**dict(others.environment), **dict(self.environment)}.items())),
            image_type=self.image_type or others.image_type,
            shown=others.shown if self.shown == Shown() else self.shown,
            merge_metrics=self.merge_metrics and others.merge_metrics,
        )


def of(pod: Doc, objects: Iterable[Doc], mesh: Mapping[str, Any], root_namespace: str) -> Settings:
    """The settings of the pod's proxy. `objects` are all ProxyConfigs, `mesh` is the mesh configuration.

    The closest wins: the oldest object of the namespace that selects the pod, the pod's annotation, the oldest object
    of the namespace without a selector, the same of the root namespace, the mesh's `defaultConfig`.
    """
    metadata = pod.get("metadata", {})
    namespace, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
    known = sorted(
        map(_decoded, objects), key=lambda one: (one.metadata.creation_timestamp or "9999", one.metadata.name)
    )
    own = [one for one in known if one.metadata.namespace == namespace]
    selecting = (one for one in own if (wanted := _wanted(one)) and wanted.items() <= labels.items())
    general = (one for one in own if not _wanted(one))
    roots = (one for one in known if one.metadata.namespace == root_namespace and not _wanted(one))
    layers = (
        _first(selecting),
        written(_annotation(pod)),
        _first(general),
        _first(roots),
        written(mesh.get("defaultConfig") or {}),
    )
    made = Settings(merge_metrics=mesh.get("enablePrometheusMerge") is not False)
    for layer in layers:
        made = made.over(layer)
    return made


def _decoded(document: Doc) -> proxy_config.ProxyConfig:
    return cast("proxy_config.ProxyConfig", resources.decode(proxy_config.KIND, document))


def _wanted(one: proxy_config.ProxyConfig) -> dict[str, str]:
    return one.spec.selector.match_labels if one.spec.selector else {}


def _first(found: Iterator[proxy_config.ProxyConfig]) -> Settings:
    one = next(found, None)
    if one is None:
        return Settings()
    spec = one.spec
    return Settings(
        concurrency=spec.concurrency,
        environment=tuple(sorted(spec.environment_variables.items())),
        image_type=spec.image.image_type if spec.image else "",
    )


def written(document: Mapping[str, Any]) -> Settings:
    """The settings in the mesh configuration's and the annotation's words; a value of a wrong type is passed over."""
    concurrency, metadata, image = (document.get(name) for name in ("concurrency", "proxyMetadata", "image"))
    kind = image.get("imageType") if isinstance(image, Mapping) else ""
    matcher = document.get("proxyStatsMatcher")
    return Settings(
        concurrency=concurrency if isinstance(concurrency, int) and concurrency >= 0 else None,
        environment=tuple(sorted((str(key), str(value)) for key, value in metadata.items()))
        if isinstance(metadata, Mapping)
        else (),
        image_type=kind if isinstance(kind, str) else "",
        shown=_shown(matcher if isinstance(matcher, Mapping) else {}),
    )


def _shown(matcher: Mapping[str, Any]) -> Shown:
    def words(name: str) -> tuple[str, ...]:
        found = matcher.get(name)
        return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()

    return Shown(
        prefixes=words("inclusionPrefixes"), suffixes=words("inclusionSuffixes"), regexes=words("inclusionRegexps")
    )


def _annotation(pod: Doc) -> Mapping[str, Any]:
    text = (pod.get("metadata", {}).get("annotations") or {}).get(ANNOTATION, "")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return document if isinstance(document, Mapping) else {}


def problems(pod: Doc) -> Iterator[Problem]:
    """What of the pod's annotation is not understood or has no effect."""
    metadata = pod.get("metadata", {})
    text = (metadata.get("annotations") or {}).get(ANNOTATION, "")
    name = metadata.get("name") or metadata.get("generateName", "")
    ref = ObjectRef(kind="Pod", name=name, namespace=metadata.get("namespace", ""))
    path = f"metadata.annotations[{ANNOTATION}]"
    if text and not _annotation(pod):
        yield Problem(ref=ref, path=path, reason="InvalidAnnotation", message="it is no YAML mapping, so it is ignored")
    for key in sorted(_annotation(pod).keys() - _READ - _ELSEWHERE):
        message = f"{key} has no effect: this version does not implement it"
        yield Problem(ref=ref, path=path, reason="NotSupported", message=message, fix="remove it")


def apply(container: Doc, settings: Settings) -> Doc:
    """The proxy's container with the settings; what it says itself stays."""
    known = {variable["name"] for variable in container.get("env") or ()}
    added = dict(settings.environment)
    if settings.concurrency is not None:
        added[VARIABLE] = json.dumps({"concurrency": settings.concurrency})
    variables = [{"name": name, "value": value} for name, value in added.items() if name not in known]
    made = {**container, "env": [*(container.get("env") or ()), *variables]} if variables else dict(container)
    if settings.image_type and _TAG.fullmatch(settings.image_type) and ":" not in container["image"]:
        made["image"] = f"{container['image']}:{settings.image_type}"
    return made


def metadata(container: Doc) -> tuple[tuple[str, str], ...]:
    """What the container's variables say of its proxy, as EnvoyFilters ask for it."""
    variables = ((one["name"], one.get("value", "")) for one in container.get("env") or ())
    return tuple((name.removeprefix(_METADATA), value) for name, value in variables if name.startswith(_METADATA))
