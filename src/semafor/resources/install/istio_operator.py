"""IstioOperator: what an installation consists of. Source: Istio's IstioOperator options.

Components, values and the mesh's settings are open: their schemas belong to the thing that is installed, and old files
use old names in them. What they mean, and what of it is refused, is decided when they are installed.
"""

from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import OPEN
from semafor.resources.meta.meta import ObjectMeta


class IstioOperatorSpec(Document):
    """What an installation consists of."""

    profile: Annotated[str, "Set of settings to start from: default, demo, minimal, empty and others."] = ""
    install_package_path: Annotated[str, "Not in effect: where Istio's own charts are."] = ""
    hub: Annotated[str, "Registry of the images."] = ""
    tag: Annotated[Any, OPEN, "Tag of the images."] = None
    resource_suffix: Annotated[str, "Not in effect."] = ""
    namespace: Annotated[str, "Namespace of the control plane; istio-system when empty."] = ""
    revision: Annotated[str, "Revision of the control plane."] = ""
    compatibility_version: Annotated[str, "Version of Istio whose behaviour is kept."] = ""
    default_revision: Annotated[bool | None, "Obsolete."] = None
    mesh_config: Annotated[dict[str, Any], OPEN, "Settings of the mesh."] = {}
    components: Annotated[dict[str, Any], OPEN, "Components, each on or off with settings of its own."] = {}
    addon_components: Annotated[dict[str, Any], OPEN, "Obsolete."] = {}
    values: Annotated[dict[str, Any], OPEN, "Values of the charts."] = {}
    unvalidated_values: Annotated[dict[str, Any], OPEN, "Values of the charts that are taken as they are."] = {}


class IstioOperator(Document):
    """What an installation of the mesh consists of."""

    api_version: Annotated[str, "API version of the object."] = "install.istio.io/v1alpha1"
    kind: Annotated[str, "Kind of the object."] = "IstioOperator"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[IstioOperatorSpec, "What is wanted."] = IstioOperatorSpec()
    status: Annotated[dict[str, Any], OPEN, "What is."] = {}


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """A name, which the files of this kind are commonly written without."""
    meta = doc.get("metadata", {})
    if meta.get("name") or meta.get("generateName"):
        return doc
    return {**doc, "metadata": {**meta, "name": KIND.default_name}}


KIND = Kind(
    group="install.istio.io",
    versions=("v1alpha1",),
    kind="IstioOperator",
    plural="istiooperators",
    short=("iop", "io"),
    document=IstioOperator,
    columns=(
        Column(name="Revision", type="string", path=".spec.revision", description="Revision of the control plane."),
        Column(name="Status", type="string", path=".status.status", description="State of the control plane."),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    default_name="installed-state",
    defaults=defaults,
)
