"""Some hundreds of queries over the samples of test_against_prometheus: each function, operator and aggregation."""

START_S = 1_700_000_000
VECTORS = ["asked_total", "temperature", "odd", 'asked_total{code=~"5.."}', "missing"]
# fmt: off
OF_VECTORS = (
    "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "round", "sort", "sort_desc",
    "timestamp", "absent", "scalar",
)
# fmt: on
# fmt: off
OF_RANGES = (
    "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
    "max_over_time", "sum_over_time", "count_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time",
    "present_over_time", "absent_over_time",
)
# fmt: on


def of_series():
    """Some hundreds: every function, operator and aggregation, over several kinds of series."""
    for function in OF_VECTORS:
        for vector in VECTORS[1:3] + (VECTORS[-1:] if function in ("absent", "scalar") else []):
            yield f"{function}({vector})"
    for function in OF_RANGES:
        for vector in ("asked_total", "temperature", "odd"):
            for window in ("20s", "1m", "7m30s"):
                yield f"{function}({vector}[{window}])"
        yield f"{function}(temperature[5m:35s])"
        yield f"{function}(asked_total[2m] offset 45s)"
        yield f"{function}(asked_total[2m] @ {START_S + 900}.5)"


def aggregations():
    """Every aggregation, and quantiles."""
    for q in ("-1", "0", "0.3", "0.99", "1", "2", "NaN"):
        yield f"quantile_over_time({q}, temperature[3m])"
        yield f"quantile({q}, temperature)"
        yield f"histogram_quantile({q}, rate(took_bucket[5m]))"
        yield f"histogram_quantile({q}, sum by (le) (took_bucket))"
    for op in ("sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"):
        for vector in VECTORS:
            yield f"{op}({vector})"
            yield f"{op} by (pod) ({vector})"
            yield f"{op} without (code) ({vector})"
    for k in ("-1", "0", "1", "2.7", "100"):
        yield f"topk({k}, temperature)"
        yield f"bottomk by (job) ({k}, temperature)"
    yield from ['count_values("v", owner)', 'count_values by (pod) ("x", round(temperature))', "topk(NaN, temperature)"]


def operators():
    """Every operator, between two vectors and with numbers."""
    for op in ("+", "-", "*", "/", "%", "^", "atan2"):
        yield f"temperature {op} odd"
        yield f"temperature {op} on(pod) odd"
        yield f"odd {op} 3"
        yield f"-3 {op} odd"
        yield f"7 {op} -2"
    for op in ("==", "!=", ">", "<", ">=", "<="):
        yield f"temperature {op} 20"
        yield f"20 {op} temperature"
        yield f"20 {op} bool temperature"
        yield f"temperature {op} bool on(pod) odd"
        yield f"temperature {op} on(pod) odd"
        yield f"1 {op} bool 2"
    for op in ("and", "or", "unless"):
        yield f"temperature {op} on(pod) owner"
        yield f"asked_total {op} (asked_total > 100)"
        yield f"owner {op} ignoring(team, job) temperature"
        yield f'missing {op} temperature{{pod="a"}}'


SINGLE = (
    "asked_total * on(pod) group_left(team) owner",
    "owner * on(pod) group_right(team) asked_total",
    "asked_total * on(pod) group_left() owner",
    "asked_total * on(pod) owner",
    "owner + on() owner",
    "asked_total / ignoring(code) group_left sum without(code)(asked_total)",
    "sum by (pod) (rate(asked_total{code=~\"5..\"}[1m])) / sum by (pod) (rate(asked_total[1m]))",
    "predict_linear(temperature[5m], 600)",
    "holt_winters(temperature[5m], 0.3, 0.7)",
    "holt_winters(temperature[5m], 1.3, 0.7)",
    "clamp(temperature, 15, 25)", "clamp(temperature, 25, 15)", "clamp_min(odd, 0)", "clamp_max(odd, 0)",
    "round(temperature, 0.25)", "vector(time())", "time()", "pi()", "-temperature", "-(-odd)", "+owner",
    'label_replace(temperature, "team", "$1-x", "pod", "(.*)")',
    'label_replace(temperature, "team", "${1}${2}$$", "pod", "(a)|(b)")',
    'label_replace(temperature, "pod", "", "pod", ".*")',
    'label_replace(temperature, "bad-name", "", "pod", ".*")',
    'label_join(temperature, "both", "/", "pod", "job", "none")',
    'absent(missing{a="b", c!="d", e=~"f"})', 'absent_over_time(missing{a="b"}[1m])', 'absent(sum(missing{a="b"}))',
    "hour()", "minute(vector(1700000000))", "day_of_week(owner * 1700000000)", "days_in_month(vector(1709251200))",
    "day_of_month(odd)", "day_of_year(vector(1709251200))", "month(vector(1709251200))", "year(temperature * 1e8)",
    "max_over_time(rate(asked_total[1m])[5m:30s])", "sum_over_time((time() > 0)[1m:10s])",
    "avg_over_time(temperature[2m:])",
    "temperature offset 1m", "temperature offset -1m", "temperature @ start()", "temperature @ end() offset 30s",
    f"temperature @ {START_S + 60}", "rate(asked_total[1m] @ end())",
    '{__name__=~"temp.*|owner", pod!="c"}', '{__name__="odd", pod=~"a|b"}', 'temperature{pod!~"a|b"}',
    'temperature{nope=""}',
    "-{__name__=~\"temperature|owner\"}", "rate({__name__=~\"temperature|odd\"}[1m])",
    "sum(temperature) by (pod) > 20 or vector(0)", "1 + 2 * 3 ^ 2 ^ 0 % 5", "-2 ^ 2", "2 ^ -1", '"text"',
    "temperature[2m]", "asked_total[1m:20s]", "count(asked_total) by (code) ^ 2",
    "rate(temperature)", "sum(", "foo{", "1 == 1", "temperature and 1", "nofunction(1)", "rate(odd[5m]) > bool Inf",
)  # fmt: skip


# Where Prometheus 2.42 is known to be wrong, and later ones answer as we do: the deviation of what is infinite or NaN,
# the metric's name after atan2 with a number. And dates of no number are whatever Go's conversion leaves.
BETTER = {
    *(f"{op}{by} (odd)" for op in ("stddev", "stdvar") for by in (" by (pod)", " without (code)")),
    *(f"{op}_over_time(odd[{window}])" for op in ("stddev", "stdvar") for window in ("20s", "1m", "7m30s")),
    *("odd atan2 3", "-3 atan2 odd", "day_of_month(odd)"),
    # Sums of numbers as large as 1e300 and as small as 1: they depend on their order.
    *("rate(odd[1m])", "increase(odd[1m])", 'rate({__name__=~"temperature|odd"}[1m])'),
}
QUERIES = [
    query for query in dict.fromkeys([*of_series(), *aggregations(), *operators(), *SINGLE]) if query not in BETTER
]
