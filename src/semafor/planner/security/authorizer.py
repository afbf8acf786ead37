"""External authorizers: the providers of the mesh configuration that policies with the action CUSTOM name.

Source: Istio's reference of MeshConfig, EnvoyExternalAuthorizationHttpProvider and ...GrpcProvider.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from semafor.base import duration
from semafor.ir import Authorizer, Body, StringMatch
from semafor.resources.istio.extension_provider import ExtAuthzGrpc, ExtAuthzHttp, ExtensionProvider, RequestBody

Provider = ExtAuthzHttp | ExtAuthzGrpc
_STATUSES = range(100, 600)  # what an answer may have
_TIMEOUT = "600s"  # Istio's


class Unusable(Exception):  # noqa: N818 - named for what the provider is
    """Nobody can be asked; the text says why."""


def find(providers: Iterable[ExtensionProvider], name: str) -> Provider:
    """The provider of that name. Raises Unusable."""
    for one in providers:
        if one.name == name:
            if found := one.envoy_ext_authz_http or one.envoy_ext_authz_grpc:
                return found
            raise Unusable(f"the provider {name} is of the kind {one.of_kind}, which decides nothing")
    raise Unusable(f"the mesh configuration has no provider {name}")


def is_grpc(provider: Provider) -> bool:
    return isinstance(provider, ExtAuthzGrpc)


def read(name: str, provider: Provider, *, cluster: str, host: str) -> Authorizer:
    """The provider as a value, reached by the cluster. Raises Unusable."""
    try:
        return _read(name, provider, cluster, host)
    except ValueError as error:
        raise Unusable(f"the provider {name} is not sound: {error}") from error


def _read(name: str, provider: Provider, cluster: str, host: str) -> Authorizer:
    common = Authorizer(
        name=name,
        cluster=cluster,
        protocol="grpc" if is_grpc(provider) else "http",
        authority=host,
        timeout_s=duration.parse(provider.timeout or _TIMEOUT),
        fail_open=provider.fail_open,
        status_on_error=_status(provider.status_on_error),
        clear_route_cache=provider.clear_route_cache,
        body=_body(provider.include_request_body_in_check),
    )
    return _of_http(common, provider) if isinstance(provider, ExtAuthzHttp) else common


def _of_http(common: Authorizer, provider: ExtAuthzHttp) -> Authorizer:
    if provider.path_prefix and not provider.path_prefix.startswith("/"):
        raise ValueError("pathPrefix has to begin with a slash")
    asked = (*provider.include_request_headers_in_check, *provider.include_headers_in_check)
    return replace(
        common,
        path_prefix=provider.path_prefix,
        headers=_names(asked, "includeRequestHeadersInCheck"),
        added_headers=tuple(sorted(provider.include_additional_headers_in_check.items())),
        to_app=_names(provider.headers_to_upstream_on_allow, "headersToUpstreamOnAllow"),
        to_caller_on_deny=_names(provider.headers_to_downstream_on_deny, "headersToDownstreamOnDeny"),
        to_caller_on_allow=_names(provider.headers_to_downstream_on_allow, "headersToDownstreamOnAllow"),
    )


def _status(text: str) -> int:
    if not text:
        return 403
    if not text.isascii() or not text.isdigit() or int(text) not in _STATUSES:
        raise ValueError(f"statusOnError {text!r} is no HTTP status")
    return int(text)


def _body(said: RequestBody | None) -> Body | None:
    if said is None:
        return None
    if not said.max_request_bytes:
        raise ValueError("maxRequestBytes has to be above 0")
    return Body(max_bytes=said.max_request_bytes, partial=said.allow_partial_message, packed=said.pack_as_bytes)


def _names(patterns: tuple[str, ...], field: str) -> tuple[StringMatch, ...]:
    return tuple(_name(pattern, field) for pattern in patterns)


def _name(pattern: str, field: str) -> StringMatch:
    """The names of headers have no case; `*` at one end stands for any text there."""
    bare = pattern.strip("*")
    if not bare or "*" in bare or pattern.count("*") > 1:
        raise ValueError(f"{field} has {pattern!r}; write a name, name* or *name")
    value = bare.lower()
    if pattern.startswith("*"):
        return StringMatch(kind="suffix", value=value, ignore_case=True)
    return StringMatch(kind="prefix" if pattern.endswith("*") else "exact", value=value, ignore_case=True)
