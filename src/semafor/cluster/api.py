"""Requests to the API server of a cluster: documents in and out, refusals as StatusError."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from semafor.base.status_error import StatusError
from semafor.cluster import access as accesses
from semafor.cluster.access import Access
from semafor.resources.kind import Kind

Doc = dict[str, Any]
Params = Mapping[str, str]

APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
_TIMEOUT_S: Final = 30.0
_CONNECTIONS: Final = 200  # one for each kind that is watched, and some for all else
_UNREACHABLE: Final = 503


class Api:
    """The API server. Close it when done."""

    def __init__(self, access: Access) -> None:
        self.name = access.name
        self._http = httpx.AsyncClient(
            base_url=access.server,
            verify=accesses.tls(access),
            auth=accesses.Proof(access),
            headers={"User-Agent": "semafor"},
            timeout=_TIMEOUT_S,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            trust_env=False,
        )
        self._extensions = {"sni_hostname": access.server_name} if access.server_name else {}

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, params: Params | None = None) -> Doc:
        """Raises StatusError, as all of these; with code 503 when there is no answer."""
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, body: Doc) -> Doc:
        return await self._ask("POST", path, json=body)

    async def put(self, path: str, body: Doc) -> Doc:
        return await self._ask("PUT", path, json=body)

    async def patch(self, path: str, body: Doc, *, form: str = MERGE, params: Params | None = None) -> Doc:
        headers = {"Content-Type": form}
        return await self._ask("PATCH", path, content=json.dumps(body), headers=headers, params=params)

    async def delete(self, path: str, body: Doc | None = None) -> Doc:
        return await self._ask("DELETE", path, json=body)

    async def lines(self, path: str, params: Params, *, silence_s: float) -> AsyncIterator[bytes]:
        """The lines of an answer that goes on. Raises StatusError, also when nothing comes for `silence_s`."""
        timeout = httpx.Timeout(_TIMEOUT_S, read=silence_s)
        try:
            async with self._http.stream(
                "GET", path, params=dict(params), timeout=timeout, extensions=self._extensions
            ) as response:
                if response.is_error:
                    await response.aread()
                    raise _refusal(response)
                rest = b""
                async for chunk in response.aiter_bytes():
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        if line:
                            yield line
        except httpx.HTTPError as error:
            raise _unreachable(error) from error

    async def _ask(self, verb: str, path: str, **more: Any) -> Doc:
        try:
            response = await self._http.request(verb, path, extensions=self._extensions, **more)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if response.is_error:
            raise _refusal(response)
        found: Doc = response.json()
        return found


def path(kind: Kind, namespace: str | None = None, name: str = "", *, version: str = "", sub: str = "") -> str:
    """The path of a collection, of one object, or of a subresource of it."""
    version = version or kind.versions[0]
    root = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    middle = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{root}{middle}/{kind.plural}" + (f"/{name}" if name else "") + (f"/{sub}" if sub else "")


def _refusal(response: httpx.Response) -> StatusError:
    try:
        said = response.json()
        return StatusError(response.status_code, said.get("reason", ""), said["message"], said.get("details"))
    except (ValueError, LookupError, TypeError, AttributeError):
        return StatusError(response.status_code, response.reason_phrase, response.text[:500] or response.reason_phrase)


def _unreachable(error: httpx.HTTPError) -> StatusError:
    return StatusError(_UNREACHABLE, "ServiceUnavailable", f"the API server does not answer: {error!r}")
