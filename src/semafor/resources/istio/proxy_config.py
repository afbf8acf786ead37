"""ProxyConfig: settings of proxies. Source: Istio's API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts
from semafor.resources.istio.common import WorkloadSelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import NON_NEGATIVE, Labels
from semafor.resources.meta.meta import ObjectMeta


class ProxyImage(Document):
    """Which image a proxy runs."""

    image_type: Annotated[str, "Kind of image: default, debug or distroless."] = ""


class ProxyConfigSpec(Document):
    """Settings of proxies."""

    selector: Annotated[WorkloadSelector | None, "Pods that they are for; all of the namespace when absent."] = None
    concurrency: Annotated[int | None, NON_NEGATIVE, "Number of worker threads; found from the CPU when absent."] = None
    environment_variables: Annotated[Labels, "Further environment variables of the proxy."] = {}
    image: Annotated[ProxyImage | None, "Which image the proxy runs."] = None


class ProxyConfig(Document):
    """Settings of proxies."""

    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1beta1"
    kind: Annotated[str, "Kind of the object."] = "ProxyConfig"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[ProxyConfigSpec, "What is wanted."] = ProxyConfigSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


def _selector(doc: dict[str, Any]) -> Iterator[FieldError]:
    selector = doc.get("spec", {}).get("selector", {})
    yield from hosts.labels(selector.get("matchLabels", {}), "spec.selector.matchLabels")


KIND = Kind(
    group="networking.istio.io",
    versions=("v1beta1",),
    kind="ProxyConfig",
    plural="proxyconfigs",
    categories=("istio-io", "networking-istio-io"),
    document=ProxyConfig,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    validate=_selector,
)
