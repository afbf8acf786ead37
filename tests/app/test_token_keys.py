"""Keys of issuers: fetched from a real server, and kept while it is away."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from semafor import resources
from semafor.app import key_sets
from semafor.app.token_keys import TokenKeys
from semafor.planner import Mesh, Options
from semafor.planner.security.request_authentication import Keys
from semafor.resources.istio import request_authentication

SET = '{"keys": [{"kty": "EC"}]}'


@pytest.fixture
def server() -> Iterator[str]:
    """Pages of issuers, good and bad ones."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"http://127.0.0.1:{self.server.server_address[1]}"
            pages = {
                "/keys": SET,
                "/.well-known/openid-configuration": f'{{"jwks_uri": "{url}/keys"}}',
                "/text": "hello",
                "/wrong": '{"keys": 1}',
                "/long": " " * (2 << 20),
                "/deep": "[" * 500_000,
            }
            page = pages.get(self.path)
            self.send_response(302 if self.path == "/moved" else 200 if page is not None else 404)
            if self.path == "/moved":
                self.send_header("location", "/keys")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/keys", "/moved", "/.well-known/openid-configuration"])
async def test_key_sets_are_found(server, path):
    assert await key_sets.fetch({server + path: 5.0}) == [Keys(jwks=SET)]


@pytest.mark.parametrize(
    ("path", "flaw"),
    [("/text", "not a JSON"), ("/wrong", "not a JSON"), ("/deep", "not a JSON"), ("/long", "longer"), ("/none", "404")],
)
async def test_what_is_no_key_set_is_told(server, path, flaw):
    [found] = await key_sets.fetch({server + path: 5.0})
    assert (found.jwks, flaw in found.flaw) == ("", True)


async def test_a_server_that_never_comes_to_an_end_is_left_after_twice_the_time():
    async def drip(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as slow:
        [found] = await key_sets.fetch({f"http://127.0.0.1:{slow.sockets[0].getsockname()[1]}/keys": 0.1})
        await asyncio.sleep(0.1)
    assert "longer than 0.2 s" in found.flaw


async def test_nobody_there_and_no_url_are_told():
    found = await key_sets.fetch({"http://127.0.0.1:1/keys": 5.0, "http://[oops/keys": 5.0})
    assert all(keys.flaw and not keys.jwks for keys in found)


HERE = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "[64:ff9b::7f00:1]"]
SECRETS = ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200"]


@pytest.mark.parametrize("host", [*HERE, *SECRETS])
async def test_nobody_is_asked_on_this_machine_or_for_the_secrets_of_a_cloud(host):
    [found] = await key_sets.fetch({f"http://{host}:1/keys": 5.0}, Options().refused_issuers)
    assert "where the mesh does not go" in found.flaw


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Where names lead, each time that they are asked for: to the next of these."""
    known: dict[str, list[str]] = {}

    async def getaddrinfo(_: object, host: str, port: int, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", (known[host].pop(0) if host in known else host, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known


async def test_a_name_and_a_redirection_lead_nowhere_that_an_address_does_not(server, names):
    port = server.rpartition(":")[2]
    names["keys.example"] = ["127.0.0.1"]
    names["there.example"] = ["127.0.0.1", "127.0.0.2"]  # and elsewhere for whoever looks again
    urls = {
        f"http://{host}:{port}{path}": 5.0 for host, path in [("keys.example", "/keys"), ("there.example", "/moved")]
    }
    found = await key_sets.fetch(urls, ["127.0.0.2/32"])
    assert [one.jwks for one in found] == [SET, ""]
    assert "there.example leads to 127.0.0.2" in found[1].flaw


async def test_a_page_of_an_issuer_leads_nowhere_else_either(server, names):
    names["issuer.example"] = ["127.0.0.1"]
    place = f"http://issuer.example:{server.rpartition(':')[2]}/.well-known/openid-configuration"
    names["127.0.0.1"] = ["127.0.0.2"]  # in place of the address that the page names
    [found] = await key_sets.fetch({place: 5.0}, ["127.0.0.2/32"])
    assert "127.0.0.1 leads to 127.0.0.2" in found.flaw


async def test_keys_that_were_asked_for_safely_do_not_come_unsafely():
    with pytest.raises(key_sets.Unusable, match="not HTTPS"):
        key_sets._stays_safe(httpx.URL("https://me/keys"), httpx.URL("http://me/keys"))


async def test_a_proxy_of_the_environment_is_asked_in_place_of_the_server(server, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server)
    [found] = await key_sets.fetch({"http://issuer.invalid/keys": 5.0}, Options().refused_issuers)
    assert "404" in found.flaw  # the server knows no path that is a URL


class Fetched:
    """A mesh with one issuer, whose server answers as `answers` say, at a time that the test moves."""

    def __init__(self, *answers: Keys) -> None:
        spec = {"jwtRules": [{"issuer": "me", "jwksUri": "http://me/keys"}]}
        meta = {"name": "me", "namespace": "default"}
        self.mesh = Mesh.of([resources.decode(request_authentication.KIND, {"metadata": meta, "spec": spec})])
        self.now = 0.0
        self.asked: list[float] = []
        self._answers = iter(answers)
        self._heard = asyncio.Event()

    async def fetch(self, places: Any, refused: Any) -> list[Keys]:
        self.asked.append(self.now)
        return [next(self._answers) for _ in places]

    async def news(self) -> None:
        await self._heard.wait()

    def take_token_keys(self, keys: Any) -> None:
        self.mesh = dataclasses.replace(self.mesh, token_keys=keys)

    async def at(self, now: float) -> Keys:
        """The keys after one round at this time."""
        self.now = now
        await self._keeper._renew()
        return self.mesh.token_keys["http://me/keys"]

    def begin(self) -> "Fetched":
        self._keeper = TokenKeys(self, lambda: self.now, self.fetch)
        return self


async def test_an_issuer_that_is_away_keeps_its_keys_and_is_asked_again_soon():
    it = Fetched(Keys(jwks="one"), Keys(flaw="away"), Keys(jwks="two")).begin()
    seen = [(await it.at(now)).jwks for now in (0.0, 60.0, 1200.0, 1205.0, 1211.0)]
    assert (seen, it.asked) == (["one", "one", "one", "one", "two"], [0.0, 1200.0, 1211.0])


async def test_the_first_failure_is_told():
    it = Fetched(Keys(flaw="away"), Keys(jwks="one")).begin()
    assert [await it.at(now) for now in (0.0, 11.0)] == [Keys(flaw="away"), Keys(jwks="one")]
