import re

import pytest

from semafor.telemetry import labels
from semafor.telemetry.exposition import BadExposition, lines
from semafor.telemetry.exposition import labels as read_labels
from semafor.telemetry.ingest import Target
from semafor.telemetry.matching import Matcher
from semafor.telemetry.series import Limits, Store
from semafor.telemetry.series.bits import is_stale

TARGET = labels.of({"job": "pods", "instance": "10.0.0.1:80"})
BODY = """# HELP asked_total How often it was asked.
# TYPE asked_total counter
asked_total{route="chat",code="200"} 7
asked_total{route="em\\"bed\\\\ \\n",code="500"} 1e3 1700000000000
# TYPE took histogram
took_bucket{le="+Inf"} 3 # {trace_id="abc"} 0.5 1700000000.1
up_since  NaN
# EOF"""


def read(text):
    return [(dict(read_labels(head)), value) for head, value in lines(text, {}, {})]


def values(store, name, end=10_000):
    found = store.select([Matcher("__name__", "=", name)], 0, end)
    return {labels.written(each.labels): each.values.tolist() for each in found}


def test_both_text_formats_are_read():
    found = read(BODY)
    assert found[:3] == [
        ({"__name__": "asked_total", "route": "chat", "code": "200"}, 7.0),
        ({"__name__": "asked_total", "route": 'em"bed\\ \n', "code": "500"}, 1000.0),
        ({"__name__": "took_bucket", "le": "+Inf"}, 3.0),
    ]
    assert found[3][0] == {"__name__": "up_since"}


def test_what_is_said_of_metrics_is_kept():
    said = {}
    list(lines(BODY, said, {}))
    assert (said["asked_total"].type, said["asked_total"].help) == ("counter", "How often it was asked.")


@pytest.mark.parametrize(
    "line",
    [
        "a{",
        'a{b="c} 1',
        "a",
        "1a 1",
        "a b",
        "a 1_0",
        'a{b="1",b="2"} 1',
        "a{b=1} 1",
        "a{} 1 2 3 4",
        "\x00 1",
        'a{b="c"d="e"} 1',
    ],
)
def test_a_line_that_is_no_sample_is_an_error(line):
    with pytest.raises(BadExposition):
        read(line)


def test_hostile_lines_take_no_time():
    for text in (
        "a{" + 'b="c",' * 50_000,
        "a{" * 50_000,
        'a{b="' + "\\" * 100_001,
        "a" * 1_000_000 + " x",
        "a 1 #" + "{" * 100_000 + "\x00\n}",
    ):
        with pytest.raises(BadExposition):
            read(text)


def test_a_target_names_its_series_and_tells_how_it_went():
    store = Store()
    Target("one", TARGET).take(store, 1000, 'a{job="mine"} 1\n', 0.25)
    assert values(store, "a") == {'a{exported_job="mine", instance="10.0.0.1:80", job="pods"}': [1.0]}
    assert values(store, "up") == {'up{instance="10.0.0.1:80", job="pods"}': [1.0]}
    assert list(values(store, "scrape_duration_seconds").values()) == [[0.25]]
    assert list(values(store, "scrape_samples_scraped").values()) == [[1.0]]


def test_series_end_when_a_target_shows_them_no_more_or_does_not_answer():
    store, target = Store(), Target("one", TARGET)
    target.take(store, 1000, "a 1\nb 1\n", 0.0)
    target.take(store, 2000, "b 2\n", 0.0)
    target.fail(store, 3000, "no answer", 4.0)
    (a,) = store.select([Matcher("__name__", "=", "a")], 0, 9000)
    (b,) = store.select([Matcher("__name__", "=", "b")], 0, 9000)
    assert (a.times.tolist(), is_stale(a.values).tolist()) == ([1000, 2000], [False, True])
    assert (b.times.tolist(), is_stale(b.values).tolist()) == ([1000, 2000, 3000], [False, False, True])
    assert list(values(store, "up").values()) == [[1.0, 1.0, 0.0]]


def test_an_answer_with_one_bad_line_is_not_taken():
    store = Store()
    outcome = Target("one", TARGET).take(store, 1000, "a 1\nnonsense\n", 0.0)
    assert "line 2" in outcome.error
    assert values(store, "a") == {}


def test_lines_that_are_not_wanted_are_passed_over():
    store, target = Store(), Target("one", TARGET, drop=re.compile(r"envoy_\w+_bucket\{"))
    for time_ms in (1000, 2000):
        target.take(store, time_ms, 'envoy_x_bucket{le="1"} 1\nenvoy_x_count 1\n', 0.0)
    assert (values(store, "envoy_x_bucket"), len(values(store, "envoy_x_count"))) == ({}, 1)


def test_a_million_values_of_a_label_fill_a_share_and_no_more():
    store = Store(Limits(max_series=400))
    other, flood = Target("other", TARGET), Target("flood", labels.of({"job": "flood"}))
    other.take(store, 500, "a 1\n", 0.0)
    outcomes = [
        flood.take(store, 1000 * scrape, "".join(f'id{{n="{scrape}-{n}"}} 1\n' for n in range(1000)), 0.0)
        for scrape in range(1, 4)
    ]
    other.take(store, 5000, "a 2\nb 2\n", 0.0)
    assert outcomes[0].refused >= 900
    assert len(store.index) <= 120
    assert list(values(store, "b").values()) == [[2.0]]
    assert values(store, "up")['up{job="flood"}'] == [1.0, 1.0, 1.0]
    assert store.refused.over_limit == sum(outcome.refused for outcome in outcomes)
