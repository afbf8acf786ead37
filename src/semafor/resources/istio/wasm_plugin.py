"""WasmPlugin: a WebAssembly program in the proxy. Source: Istio's API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.istio import extension_rules
from semafor.resources.istio.common import NumberedPort, PolicyTargetReference, WorkloadSelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.istio.wasm_vm import VmConfig
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import OPEN, listing
from semafor.resources.meta.meta import ObjectMeta


class WasmTrafficSelector(Document):
    """Which traffic a program sees."""

    mode: Annotated[
        Literal["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"], "Calls made, calls taken, or both."
    ] = "UNDEFINED"
    ports: Annotated[tuple[NumberedPort, ...], listing("number"), "Ports; all when empty."] = ()


class WasmPluginSpec(Document):
    """A WebAssembly program in the proxy."""

    url: Annotated[str, "Where the program is: oci://, http(s):// or file://."]
    selector: Annotated[WorkloadSelector | None, "Pods that it is for; all of the namespace when absent."] = None
    target_ref: Annotated[PolicyTargetReference | None, "Obsolete: use targetRefs."] = None
    target_refs: Annotated[tuple[PolicyTargetReference, ...], "Gateways and services that it is for."] = ()
    sha256: Annotated[str, "Checksum of the program."] = ""
    image_pull_policy: Annotated[
        Literal["UNSPECIFIED_POLICY", "IfNotPresent", "Always"], "When the program is fetched again."
    ] = "UNSPECIFIED_POLICY"
    image_pull_secret: Annotated[str, "Secret with credentials for the registry."] = ""
    verification_key: Annotated[str, "Not in effect."] = ""
    plugin_config: Annotated[dict[str, Any] | None, OPEN, "Settings for the program."] = None
    plugin_name: Annotated[str, "Name of the program within the module."] = ""
    phase: Annotated[Literal["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"], "Place among the other filters."] = (
        "UNSPECIFIED_PHASE"
    )
    priority: Annotated[int | None, "Order within the phase; higher ones come first."] = None
    fail_strategy: Annotated[
        Literal["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"], "What happens when the program fails."
    ] = "FAIL_CLOSE"
    vm_config: Annotated[VmConfig | None, "Settings of the virtual machine."] = None
    match: Annotated[tuple[WasmTrafficSelector, ...], "Which traffic it sees."] = ()
    type: Annotated[Literal["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"], "HTTP or network filter."] = (
        "UNSPECIFIED_PLUGIN_TYPE"
    )


class WasmPlugin(Document):
    """A WebAssembly program in the proxy."""

    spec: Annotated[WasmPluginSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "extensions.istio.io/v1alpha1"
    kind: Annotated[str, "Kind of the object."] = "WasmPlugin"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="extensions.istio.io",
    versions=("v1alpha1",),
    kind="WasmPlugin",
    plural="wasmplugins",
    categories=("istio-io", "extensions-istio-io"),
    document=WasmPlugin,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=False,
    validate=extension_rules.wasm_plugin,
)
