"""Fetching JSON Web Key Sets over HTTP: bounded in time, in size, in redirections and in where it goes."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

import httpx

from semafor.app import outgoing
from semafor.base import key_set
from semafor.planner.security.request_authentication import DISCOVERY, Keys

log = logging.getLogger(__name__)

_LONGEST = 2  # times as long as for each step, for all of it: a server can send a byte now and then, for ever
_MAX_BYTES = 1 << 20
_MAX_REDIRECTS = 3
_MAX_CONNECTIONS = 8


class Unusable(Exception):  # noqa: N818 - named for what was found
    """What is there is no key set."""


async def fetch(places: Mapping[str, float], refused: Iterable[str] = ()) -> list[Keys]:
    """The key set at each place, or why there is none; with how many seconds each step of an exchange may take.

    `refused` are networks where nobody is asked.
    """
    transport = outgoing.Guarded(refused, httpx.Limits(max_connections=_MAX_CONNECTIONS))
    async with httpx.AsyncClient(transport=transport, max_redirects=_MAX_REDIRECTS) as client:
        return await asyncio.gather(*(_keys(client, place, timeout_s) for place, timeout_s in places.items()))


async def _keys(client: httpx.AsyncClient, place: str, timeout_s: float) -> Keys:
    longest_s = _LONGEST * timeout_s
    try:
        async with asyncio.timeout(longest_s):
            text = await _get(client, await _place(client, place, timeout_s), timeout_s)
        key_set.keys(text)
    except httpx.HTTPError as error:
        return _flaw(place, str(error) or type(error).__name__)
    except (httpx.InvalidURL, Unusable) as error:
        return _flaw(place, str(error))
    except TimeoutError:
        return _flaw(place, f"it takes longer than {longest_s:g} s")
    except (ValueError, LookupError, TypeError):
        return _flaw(place, "what is there is not a JSON Web Key Set")
    return Keys(jwks=text)


async def _place(client: httpx.AsyncClient, place: str, timeout_s: float) -> str:
    """Where the keys are: there, or where the issuer's page says."""
    if not place.endswith(DISCOVERY):
        return place
    found = str(key_set.document(await _get(client, place, timeout_s))["jwks_uri"])
    _stays_safe(httpx.URL(place), httpx.URL(found))
    return found


def _stays_safe(asked: httpx.URL, found: httpx.URL) -> None:
    """Keys that somebody on the way can change are nobody's."""
    if asked.scheme == "https" and found.scheme != "https":
        raise Unusable(f"it leads to {found}, which is not HTTPS")


def _flaw(place: str, why: str) -> Keys:
    log.warning("keys of an issuer of tokens at %s: %s", place, why)
    return Keys(flaw=why)


async def _get(client: httpx.AsyncClient, url: str, timeout_s: float) -> str:
    async with client.stream("GET", url, follow_redirects=True, timeout=timeout_s) as answer:
        answer.raise_for_status()
        _stays_safe(httpx.URL(url), answer.url)
        body = b""
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise Unusable(f"it is longer than {_MAX_BYTES} bytes")
        return body.decode()
