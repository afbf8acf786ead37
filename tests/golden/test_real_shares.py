"""What a caller can not see of one request: copies that arrive, how many are held up, and statistics."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.calls import matcher, real, script
from tests.golden import cases

REQUESTS = 600  # a share is then within 0.09 but once in a hundred thousand times
V2, TOOLS, SHOP = (
    "outbound|80|v2|model.default.svc.cluster.local",
    "outbound|9000||tools.default.svc.cluster.local",
    "outbound|80||model.shop.svc.cluster.local",
)
MIRRORS = [
    ("model/all", {V2: 1.0, TOOLS: 0.0, SHOP: 0.0}),
    ("model/some", {V2: 0.0, TOOLS: 0.125, SHOP: 0.0}),
    ("model/old", {V2: 0.5, TOOLS: 0.0, SHOP: 0.0}),
    ("model/none", {V2: 0.0, TOOLS: 0.0, SHOP: 0.0}),
    ("model/several", {V2: 1.0, TOOLS: 0.0, SHOP: 0.1}),
]
DELAY_S = 0.3 / 2  # Envoy's timers count from when its loop last looked at the clock

pytestmark = pytest.mark.envoy


@pytest.fixture(scope="module")
def started(pool, tmp_path_factory):
    """An Envoy for a case."""

    def start(name: str) -> real.RealEnvoy:
        case = cases.Case(cases.ROOT / "virtual-service" / name)
        match = matcher.Matcher(pool, case.plan()[0], case.names())
        return real.RealEnvoy(match, tmp_path_factory.mktemp("envoy"))

    return start


def test_as_many_copies_arrive_as_the_mirrors_say(started):
    with started("mirrors") as envoy:
        for path, shares in MIRRORS:
            call, before = script.parse(f"call GET {path} -> model/v1"), {name: envoy.sent(name) for name in shares}
            assert {envoy.follow(call) for _ in range(REQUESTS)} == {"model/v1"}
            arrived = {name: (envoy.sent(name) - count) / REQUESTS for name, count in before.items()}
            assert arrived == pytest.approx(shares, abs=0.09), path


def test_as_many_requests_are_held_up_as_the_delay_says(started):
    call = script.parse("call GET model/third-slow -> model/v2")
    with started("faults") as envoy, ThreadPoolExecutor(16) as callers:

        def took(_: int) -> float:
            began = time.monotonic()
            assert envoy.follow(call) == "model/v2"
            return time.monotonic() - began

        slow = [seconds >= DELAY_S for seconds in callers.map(took, range(REQUESTS))]
    assert sum(slow) / REQUESTS == pytest.approx(0.3, abs=0.09)


def test_a_route_with_a_prefix_keeps_statistics_of_its_own(started):
    with started("headers") as envoy:
        for path in ("counted", "counted/too", "other"):
            envoy.follow(script.parse(f"call GET model/{path} -> model"))
        found = envoy.stats("route.counted.upstream_rq_total")
    assert list(found.values()) == [2]
