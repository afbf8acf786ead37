import asyncio
import contextlib
import json

import pytest

from semafor.base.status_error import StatusError
from semafor.cluster import trim
from semafor.cluster.cache import Cache
from semafor.cluster.reflector import Reflector
from semafor.resources.core import pod, secret, service


def document(name, version, uid=""):
    return {"metadata": {"name": name, "namespace": "default", "resourceVersion": str(version), "uid": uid or name}}


class Server:
    """An API that answers lists and watches from a script; what it is asked stands in `asked`."""

    def __init__(self, lists, watches):
        self.asked = []
        self._lists, self._watches = iter(lists), iter(watches)

    async def get(self, path, params):
        self.asked.append(dict(params))
        return self._answer(next(self._lists))

    def _answer(self, found):
        if isinstance(found, StatusError):
            raise found
        return found

    async def lines(self, path, params, *, silence_s):
        self.asked.append(params["resourceVersion"])
        events = next(self._watches, None)
        if events is None:
            await asyncio.Event().wait()
        for event in events:
            yield json.dumps(self._answer(event)).encode()


def page(*objects, version, more=""):
    return {"items": list(objects), "metadata": {"resourceVersion": str(version), "continue": more}}


async def follow(server, count, monkeypatch):
    monkeypatch.setattr(Reflector, "_wait_s", lambda _: 0)
    cache, told = Cache(), []
    running = asyncio.create_task(Reflector(server, service.KIND, cache, trim.of(service.KIND)).run())
    await cache.synced.wait()
    with contextlib.suppress(asyncio.CancelledError):
        async for type_, obj in cache.follow(None):
            told.append((type_, obj["metadata"]["name"]))
            if len(told) == count:
                break
    running.cancel()
    return told


async def test_everything_that_is_there_is_told_then_what_changes(monkeypatch):
    changed = {"type": "MODIFIED", "object": document("a", 7)}
    server = Server([page(document("a", 1), version=5)], [[changed]])
    assert (await follow(server, 1, monkeypatch))[0][1] == "a"
    assert server.asked[0] == {"limit": "500"}


async def test_a_long_list_comes_in_pages(monkeypatch):
    server = Server([page(document("a", 1), version=5, more="next"), page(document("b", 2), version=5)], [])
    assert await follow(server, 2, monkeypatch) == [("ADDED", "a"), ("ADDED", "b")]
    assert server.asked[1] == {"limit": "500", "continue": "next"}


async def test_a_watch_that_ends_goes_on_from_the_last_version(monkeypatch):
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
    server = Server([page(version=5)], [[bookmark], [{"type": "ADDED", "object": document("b", 11)}]])
    assert await follow(server, 1, monkeypatch) == [("ADDED", "b")]
    assert server.asked[1:3] == ["5", "9"]


async def test_what_is_too_long_ago_is_listed_again_and_what_went_meanwhile_is_gone(monkeypatch):
    gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
    server = Server([page(document("a", 1), document("b", 2), version=5), page(document("b", 2), version=20)], [[gone]])
    monkeypatch.setattr(Reflector, "_wait_s", lambda _: 0)
    cache = Cache()
    running = asyncio.create_task(Reflector(server, service.KIND, cache, trim.of(service.KIND)).run())
    while len(server.asked) < 4:  # noqa: ASYNC110 the script has no end to wait for
        await asyncio.sleep(0)
    running.cancel()
    assert server.asked == [{"limit": "500"}, "5", {"limit": "500"}, "20"]
    assert list(cache.objects) == [("default", "b")]


async def test_a_kind_that_the_cluster_has_not_counts_as_empty(monkeypatch):
    missing = StatusError(404, "NotFound", "no such page")
    server = Server([missing] * 2 + [page(document("a", 1), version=3)], [])
    assert await follow(server, 1, monkeypatch) == [("ADDED", "a")]


async def test_a_slow_follower_is_told_the_newest_of_each_object_and_that_a_namesake_had_gone():
    cache = Cache()
    following = cache.follow(None)
    cache.change("ADDED", document("a", 1, uid="first"))
    assert (await anext(following))[0] == "ADDED"
    for type_, version, uid in (("MODIFIED", 2, "first"), ("DELETED", 3, "first"), ("ADDED", 4, "second")):
        cache.change(type_, document("a", version, uid))
    told = [await anext(following) for _ in range(2)]
    assert [(type_, obj["metadata"]["uid"]) for type_, obj in told] == [("DELETED", "first"), ("ADDED", "second")]
    await following.aclose()


def test_of_a_pod_only_that_is_remembered_that_plans_ask_for():
    container = {"name": "app", "image": "app", "env": [], "volumeMounts": [{"name": "v"}], "livenessProbe": {}}
    obj = document("a", 1) | {"spec": {"containers": [container], "volumes": []}, "status": {"podIP": "10.0.0.1"}}
    trimmed = trim.of(pod.KIND)(obj)
    assert trimmed["spec"] == {"containers": [{"name": "app", "image": "app", "env": []}]}


@pytest.mark.parametrize("type_", ["kubernetes.io/dockerconfigjson", "kubernetes.io/service-account-token"])
def test_secrets_that_are_none_of_the_meshs_business_are_not_remembered(type_):
    assert trim.of(secret.KIND)(document("a", 1) | {"type": type_, "data": {"token": "x"}})["data"] == {}
