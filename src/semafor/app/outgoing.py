"""HTTP to places that somebody wrote into an object, who need not have the rights of the daemon that goes there.

name ─▶ addresses ─▶ those that are not refused ─▶ a connection to just that address

What is refused is looked at where the connection is made, for each redirection anew, and never in the name: a name can
lead elsewhere the next time that it is asked for.
"""

import asyncio
import urllib.request
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM, gaierror

import httpx

_NAT64 = IPv6Network("64:ff9b::/96")  # the last 32 bits are the address meant. Source: RFC 6052
_PORTS = {"http": 80, "https": 443}


class Guarded(httpx.AsyncBaseTransport):
    """Connects to nobody in the refused networks. Where the environment names a proxy, that decides in its place."""

    def __init__(self, refused: Iterable[str], limits: httpx.Limits) -> None:
        self._refused = [ip_network(each) for each in refused]
        self._limits = limits
        self._direct = httpx.AsyncHTTPTransport(limits=limits)
        self._proxied: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if proxy := _proxy(request.url):
            return await self._through(proxy).handle_async_request(request)
        flaw = httpx.ConnectError(f"{request.url.host} has no address", request=request)
        for address in await self._allowed(request):
            try:
                return await self._direct.handle_async_request(_to(request, address))
            except httpx.ConnectError as error:  # the next may answer: few machines have both kinds of addresses
                flaw = error
        raise flaw

    async def aclose(self) -> None:
        for each in (self._direct, *self._proxied.values()):
            await each.aclose()

    async def _allowed(self, request: httpx.Request) -> list[str]:
        """The addresses of the request's host; raises where all of them are refused."""
        host, port = request.url.host, request.url.port or _PORTS.get(request.url.scheme, 0)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
        except (gaierror, UnicodeError) as error:
            raise httpx.ConnectError(f"{host} is not known: {error}", request=request) from error
        every = list(dict.fromkeys(str(each[4][0]) for each in found))
        allowed = [address for address in every if not self._is_refused(address)]
        if every and not allowed:
            raise httpx.ConnectError(f"{host} leads to {', '.join(every)}, where the mesh does not go", request=request)
        return allowed

    def _is_refused(self, address: str) -> bool:
        meant = _meant(ip_address(address.partition("%")[0]))
        return any(meant in network for network in self._refused)

    def _through(self, proxy: str) -> httpx.AsyncHTTPTransport:
        if proxy not in self._proxied:
            self._proxied[proxy] = httpx.AsyncHTTPTransport(proxy=proxy, limits=self._limits)
        return self._proxied[proxy]


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of IPv4 that one of IPv6 stands for, if it does."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _to(request: httpx.Request, address: str) -> httpx.Request:
    """The same request to that address; TLS, and the server, still have to do with the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def _proxy(url: httpx.URL) -> str:
    """The proxy that the environment names for the place; empty for none."""
    known = urllib.request.getproxies()
    found = known.get(url.scheme) or known.get("all") or ""
    return "" if urllib.request.proxy_bypass(url.host) else found
