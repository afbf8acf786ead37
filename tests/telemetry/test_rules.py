import pytest

from semafor.telemetry import labels, rules
from semafor.telemetry.matching import Matcher
from semafor.telemetry.promql import Engine
from semafor.telemetry.rules import templates
from semafor.telemetry.series import Store

SPEC = {
    "groups": [
        {
            "name": "g",
            "interval": "10s",
            "rules": [
                {"record": "job:errors:ratio", "expr": "errors / asked", "labels": {"kind": "ratio"}},
                {
                    "alert": "TooManyErrors",
                    "expr": "job:errors:ratio > 0.05",
                    "for": "20s",
                    "labels": {"severity": "critical"},
                    "annotations": {"description": "{{ $labels.pod }} fails {{ $value | humanizePercentage }}"},
                },
            ],
        }
    ]
}


class World:
    """A store, its rules, and a clock."""

    def __init__(self, spec=SPEC, store=None, now=0):
        self.store, self.now = store or Store(), now
        self.engine, self.groups = Engine(self.store), rules.Groups()
        found, faults = rules.read(spec, "default/it")
        assert faults == ()
        self.groups.replace(found, now)

    def pass_time(self, seconds, errors):
        for _ in range(seconds // 10):
            self.now += 10_000
            self.store.append(
                "app", self.now, [(named("asked"), 100.0), *([(named("errors"), errors)] if errors is not None else [])]
            )
            self.groups.evaluate(self.store, self.engine, self.now)
        return [(alert["labels"]["alertname"], alert["state"]) for alert in self.groups.active()]

    def values(self, name):
        found = self.store.select([Matcher("__name__", "=", name)], self.now, self.now)
        return {labels.written(each.labels): each.values.tolist() for each in found}


def named(name):
    return labels.of({"__name__": name, "pod": "a"})


def test_an_alert_waits_fires_and_resolves():
    world = World()
    assert world.pass_time(10, 1.0) == []
    assert world.pass_time(10, 9.0) == [("TooManyErrors", "pending")]
    assert world.pass_time(10, 9.0) == [("TooManyErrors", "pending")]
    assert world.pass_time(10, 9.0) == [("TooManyErrors", "firing")]
    assert world.pass_time(10, 1.0) == []
    assert [alert.state for _, _, alert in world.groups.alerts()] == ["inactive"]


def test_a_clock_set_back_stops_no_rule_and_no_alert():
    world = World(now=10_000_000)
    world.pass_time(40, 9.0)
    (alert,) = (alert for _, _, alert in world.groups.alerts())
    alert.sent_ms = world.now
    fired_for_ms = world.now - alert.fired_ms
    world.now -= 3_600_000
    world.store.forget_after(world.now)
    assert world.pass_time(10, 9.0) == [("TooManyErrors", "firing")]
    assert (world.now - alert.fired_ms, world.now - alert.sent_ms) == (fired_for_ms, 0)  # as long as it did
    assert world.pass_time(10, 1.0) == []


def test_a_clock_set_forward_makes_nothing_fire_that_is_over():
    world = World(now=10_000_000)
    world.pass_time(20, 9.0)
    world.now += 3_600_000
    assert world.pass_time(10, 1.0) == []


def test_its_texts_and_series_say_what_is_the_matter():
    world = World()
    world.pass_time(40, 9.0)
    (alert,) = world.groups.active()
    assert alert["labels"] == {"alertname": "TooManyErrors", "kind": "ratio", "pod": "a", "severity": "critical"}
    assert (alert["annotations"], alert["value"]) == ({"description": "a fails 9%"}, "9e-02")
    assert world.values("job:errors:ratio") == {'job:errors:ratio{kind="ratio", pod="a"}': [0.09]}
    ours = '{alertname="TooManyErrors", alertstate="firing", kind="ratio", pod="a", severity="critical"}'
    assert world.values("ALERTS") == {f"ALERTS{ours}": [1.0]}


def test_an_alert_goes_on_firing_as_long_as_it_is_told_to():
    spec = {
        "groups": [
            {"name": "g", "interval": "10s", "rules": [{"alert": "A", "expr": "errors > 5", "keep_firing_for": "30s"}]}
        ]
    }
    world = World(spec)
    assert world.pass_time(10, 9.0) == [("A", "firing")]
    assert world.pass_time(30, 1.0) == [("A", "firing")]
    assert world.pass_time(10, 1.0) == []


def test_after_a_restart_an_alert_goes_on_waiting_where_it_was():
    before = World()
    before.pass_time(20, 9.0)
    after = World(store=before.store, now=before.now + 60_000)
    assert after.pass_time(10, 9.0) == [("TooManyErrors", "pending")]
    assert after.pass_time(20, 9.0) == [("TooManyErrors", "firing")]


def test_after_a_restart_an_alert_that_fired_fires_at_once():
    before = World()
    before.pass_time(40, 9.0)
    after = World(store=before.store, now=before.now + 60_000)
    assert after.pass_time(10, 9.0) == [("TooManyErrors", "firing")]


def test_a_rule_that_fails_says_why_and_the_others_go_on():
    spec = {
        "groups": [
            {
                "name": "g",
                "interval": "10s",
                "rules": [{"record": "a", "expr": "errors * on() asked"}, {"record": "b", "expr": "errors"}],
            }
        ]
    }
    world = World(spec)
    world.store.append("more", 5000, [(labels.of({"__name__": "asked", "pod": "b"}), 1.0)])
    world.pass_time(10, 9.0)
    first, second = world.groups.shown()[0]["rules"]
    assert (first["health"], second["health"]) == ("err", "ok")
    assert "found duplicate series" in first["lastError"]


TWO = 'label_replace(errors, "x", "1", "", "") or label_replace(asked, "x", "2", "", "")'


def test_a_group_keeps_to_its_limit():
    spec = {"groups": [{"name": "g", "interval": "10s", "limit": 1, "rules": [{"alert": "A", "expr": TWO}]}]}
    world = World(spec)
    assert world.pass_time(10, 9.0) == []
    assert "exceeded limit of 1" in world.groups.shown()[0]["rules"][0]["lastError"]


@pytest.mark.parametrize(
    ("rule", "path", "words"),
    [
        ({"alert": "A", "expr": "sum("}, "spec.groups[0].rules[0].expr", "parse error"),
        ({"alert": "A", "expr": "rate(up)"}, "spec.groups[0].rules[0].expr", "expected type range vector"),
        ({"alert": "A", "expr": "up", "for": "soon"}, "spec.groups[0].rules[0].for", "not a valid duration"),
        (
            {"alert": "A", "expr": "up", "annotations": {"x": "{{ nope }}"}},
            "spec.groups[0].rules[0].annotations.x",
            "not defined",
        ),
        (
            {"alert": "A", "expr": "up", "annotations": {"x": "{{ if }}"}},
            "spec.groups[0].rules[0].annotations.x",
            "unexpected",
        ),
        ({"alert": "A", "expr": "up", "labels": {"a-b": "x"}}, "spec.groups[0].rules[0].labels", "invalid label name"),
        ({"record": "a b", "expr": "up"}, "spec.groups[0].rules[0].record", "invalid recording rule name"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(rule, path, words):
    _, (fault, *_) = rules.read({"groups": [{"name": "g", "rules": [rule]}]}, "it")
    assert fault.path == path
    assert words in fault.message


def rows(_):
    return [templates.Found({"pod": "b"}, 2.0), templates.Found({"pod": "a"}, 1.0)]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("{{ $labels.pod }} {{ .Labels.pod }} {{ $value }} {{ .Value }}", "web web 1234.5 1234.5"),
        ("{{ $labels.nope }}.", "."),
        ("{{ $value | humanize }} {{ humanize1024 2048.0 }}", "1.234k 2ki"),
        ("{{ humanizeDuration 3661 }} {{ humanizeDuration 0.0015 }}", "1h 1m 1s 1.5ms"),
        ("{{ humanizePercentage 0.1234 }}", "12.34%"),
        ("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        ('{{ printf "%.2f %5s|%-5s|%v %q %d%%" $value "a" "b" 1e7 "c" 3 }}', '1234.50     a|b    |1e+07 "c" 3%'),
        ("{{ if gt $value 1000.0 }}much{{ else }}little{{ end }}", "much"),
        ("{{ if false }}a{{ else if eq $labels.pod \"web\" }}b{{ else }}c{{ end }}", "b"),
        ("{{- /* said */ -}} x {{- 1 }}", "x1"),
        ("{{ $x := 3 }}{{ $x }}{{ with $labels.pod }}{{ . }}{{ end }}", "3web"),
        ('{{ range query "up" }}{{ .Labels.pod }}={{ .Value }} {{ end }}', "b=2 a=1 "),
        ('{{ range $i, $x := query "up" | sortByLabel "pod" }}{{ $i }}{{ $x.Labels.pod }}{{ end }}', "0a1b"),
        ('{{ query "up" | first | value }} {{ (query "up" | first).Labels.pod }}', "2 b"),
        ('{{ reReplaceAll "w(.)b" "<$1>" $labels.pod }} {{ toUpper "x" }} {{ "a b" | title }}', "<e> X A B"),
        ("{{ and true $labels.pod }} {{ not $labels.pod }} {{ len $labels.pod }}", "web false 3"),
    ],
)  # fmt: skip
def test_templates_write_what_gos_would(text, written):
    about = templates.About({"pod": "web"}, 1234.5, rows)
    assert templates.parse(text).written(about) == written


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "{{ end }}",
        "{{ if true }}",
        "{{ (((( }}",
        "{{ range 1000000 }}{{ end }}",
        '{{ template "x" }}',
        "{{ $nope }}",
        "{{ humanize }}",
    ],
)
def test_templates_that_cannot_be_written_say_so(text):
    with pytest.raises((templates.BadTemplate, TypeError)):
        templates.parse(text).written(templates.About({}, 1.0))


def test_no_template_takes_for_ever():
    text = "{{ range 10000 }}{{ range 10000 }}x{{ end }}{{ end }}"
    with pytest.raises(templates.BadTemplate):
        templates.parse(text).written(templates.About({}, 1.0))
