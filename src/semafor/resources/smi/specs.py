"""HTTPRouteGroup and TCPRoute: names for kinds of traffic. Source: SMI's Traffic Specs, v1alpha1 to v1alpha4."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, LIVE, Kind
from semafor.resources.marks import OPEN
from semafor.resources.meta.meta import ObjectMeta

_METHODS = ("*", "GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


class HTTPMatch(Document):
    """A named kind of HTTP requests; all conditions must hold."""

    name: Annotated[str, "Name that other objects refer to."]
    methods: Annotated[tuple[str, ...], "Methods; `*` means all."] = ()
    path_regex: Annotated[str, "Regular expression for the path."] = ""
    headers: Annotated[Any, OPEN, "Regular expressions for headers: a map, or a list of maps."] = None


class HTTPRouteGroupSpec(Document):
    """Named kinds of HTTP requests."""

    matches: Annotated[tuple[HTTPMatch, ...], "The kinds."] = ()


class HTTPRouteGroup(Document):
    """Named kinds of HTTP requests."""

    api_version: Annotated[str, "API version of the object."] = "specs.smi-spec.io/v1alpha4"
    kind: Annotated[str, "Kind of the object."] = "HTTPRouteGroup"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[HTTPRouteGroupSpec, "What is wanted."] = HTTPRouteGroupSpec()
    matches: Annotated[tuple[HTTPMatch, ...], "The kinds, where v1alpha1 and v1alpha2 have them."] = ()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


class TCPMatch(Document):
    """A named kind of connections."""

    name: Annotated[str, "Name that other objects refer to."] = ""
    ports: Annotated[tuple[int, ...], "Ports; all when empty."] = ()


class TCPRouteSpec(Document):
    """Named kinds of connections."""

    matches: Annotated[TCPMatch | None, "The kind; all connections when absent."] = None


class TCPRoute(Document):
    """Connections, by their ports."""

    api_version: Annotated[str, "API version of the object."] = "specs.smi-spec.io/v1alpha4"
    kind: Annotated[str, "Kind of the object."] = "TCPRoute"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[TCPRouteSpec, "What is wanted."] = TCPRouteSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


def validate_http(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Names are different, methods are known, expressions can be read."""
    for place, matches in (
        ("spec.matches", doc.get("spec", {}).get("matches", ())),
        ("matches", doc.get("matches", ())),
    ):
        names: set[str] = set()
        for index, match in enumerate(matches):
            path, name = f"{place}[{index}]", match.get("name", "")
            if name in names:
                yield errors.duplicate(f"{path}.name", name)
            names.add(name)
            for position, method in enumerate(match.get("methods", ())):
                if method not in _METHODS:
                    yield errors.not_supported(f"{path}.methods[{position}]", method, _METHODS)
            yield from hosts.regex(match.get("pathRegex", ""), f"{path}.pathRegex")


HTTP_ROUTE_GROUP = Kind(
    group="specs.smi-spec.io",
    versions=("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1"),
    kind="HTTPRouteGroup",
    plural="httproutegroups",
    short=("htr",),
    document=HTTPRouteGroup,
    columns=(LIVE, AGE),
    subresources=("status",),
    custom=True,
    validate=validate_http,
)

TCP_ROUTE = Kind(
    group="specs.smi-spec.io",
    versions=("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1"),
    kind="TCPRoute",
    plural="tcproutes",
    short=("tr",),
    document=TCPRoute,
    columns=(LIVE, AGE),
    subresources=("status",),
    custom=True,
)
