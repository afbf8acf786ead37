"""How many pods a load needs: what a HorizontalPodAutoscaler decides. Pure.

Source: Kubernetes' page "Horizontal Pod Autoscaling", and its replica calculator.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from semafor.base.struct import Value
from semafor.kube.api.node import Usage
from semafor.resources import quantity

Doc = dict[str, Any]

TOLERANCE = 0.1  # a ratio within it is left as it is, so that small changes move nothing
_UP_S, _DOWN_S = 0, 300  # the stabilization windows, when nothing else is said
_PERIOD_S = 15
_UP = ({"type": "Percent", "value": 100, "periodSeconds": _PERIOD_S}, {"type": "Pods", "value": 4, "periodSeconds": 15})
_DOWN = ({"type": "Percent", "value": 100, "periodSeconds": _PERIOD_S},)


class Unmeasured(Exception):  # noqa: N818 - named for the state
    """A metric says nothing now; `reason` is Kubernetes' word, the message its sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Sample(Value):
    """A pod, what its containers use (nothing while unknown), and whether it serves already."""

    pod: Doc
    used: Mapping[str, Usage]
    ready: bool


class Wish(Value):
    """What one metric asks for, and what it is now, as the status has it."""

    replicas: int
    current: Doc
    what: str


class History(Value):
    """What was wished and what was done, each with its time in seconds, the oldest first."""

    wishes: tuple[tuple[float, int], ...] = ()
    changes: tuple[tuple[float, int], ...] = ()  # by how many


class Bounded(Value):
    """The number that is meant, and what held it back, in Kubernetes' words."""

    replicas: int
    limited: str = ""
    message: str = "the desired count is within the acceptable range"


# --- a metric ---


def wish(metric: Doc, samples: Sequence[Sample], replicas: int) -> Wish:
    """What a metric asks for. Raises Unmeasured."""
    type_ = metric.get("type", "")
    field = {"Resource": "resource", "ContainerResource": "containerResource"}.get(type_)
    if field is None:
        raise Unmeasured(f"FailedGet{type_}Metric", f"there is no source of metrics of the type {type_} here")
    source = metric[field]
    name, container, target = source["name"], source.get("container", ""), source.get("target") or {}
    if name not in ("cpu", "memory"):
        raise Unmeasured("FailedGetResourceMetric", f"only cpu and memory are measured, not {name}")
    if not samples:
        raise Unmeasured("FailedGetResourceMetric", "there is no pod that the selector takes")
    used = {id(one): _used(one, name, container) for one in samples if one.used}
    if not used:
        raise Unmeasured("FailedGetResourceMetric", f"no metrics of the pods' {name} are known yet")
    current, ratio = _ratio(target, samples, used, name, container)
    what = f"{name} resource{'' if not container else f' of container {container}'}"
    status = {"name": name, **({"container": container} if container else {}), "current": current}
    return Wish(replicas=_wanted(ratio, samples, used, replicas), current={"type": type_, field: status}, what=what)


def _ratio(
    target: Doc, samples: Sequence[Sample], used: Mapping[int, float], name: str, container: str
) -> tuple[Doc, "_Ratio"]:
    average = sum(used.values()) / len(used)
    current: Doc = {"averageValue": _amount(name, average)}
    if (percent := target.get("averageUtilization")) is not None:
        requests = {id(one): _requested(one.pod, name, container) for one in samples}
        asked = sum(requests[key] for key in used)
        current["averageUtilization"] = int(100 * sum(used.values()) / asked) if asked else 0
        return current, _Ratio(full={key: value * percent / 100 for key, value in requests.items()})
    wanted = float(quantity.parse(target.get("averageValue") or target.get("value") or "0"))
    if not wanted:
        raise Unmeasured("FailedGetResourceMetric", "the target is nothing")
    return current, _Ratio(full={id(one): wanted for one in samples})


class _Ratio(Value):
    """What each pod should use."""

    full: Mapping[int, float]

    def of(self, used: Mapping[int, float]) -> float:
        return sum(used.values()) / max(sum(self.full[key] for key in used), 1e-9)


def _wanted(ratio: _Ratio, samples: Sequence[Sample], used: Mapping[int, float], replicas: int) -> int:
    """The number of pods. Those of which nothing is known, or that only begin, are taken for what changes least."""
    serving = {id(one): used[id(one)] for one in samples if id(one) in used and one.ready}
    if not serving:
        return replicas
    first = ratio.of(serving)
    rest = [one for one in samples if id(one) not in serving]
    if not rest:
        return replicas if abs(first - 1) <= TOLERANCE else math.ceil(round(first * len(serving), 6))
    assumed = {id(one): 0.0 if first > 1 or one.used else ratio.full[id(one)] for one in rest}
    second = ratio.of({**serving, **assumed})
    turned = (first > 1) != (second > 1)
    count = math.ceil(round(second * len(samples), 6))
    backwards = (second < 1 < count / max(replicas, 1)) or (second > 1 > count / max(replicas, 1))
    return replicas if turned or backwards or abs(second - 1) <= TOLERANCE else count


def _used(one: Sample, name: str, container: str) -> float:
    found = [each for own, each in one.used.items() if container in ("", own)]
    return float(sum(each.cores if name == "cpu" else each.bytes for each in found))


def _requested(pod: Doc, name: str, container: str) -> float:
    spec = pod.get("spec") or {}
    lasting = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    every = [each for each in (*lasting, *(spec.get("containers") or ())) if container in ("", each["name"])]
    total = 0.0
    for each in every:
        asked = ((each.get("resources") or {}).get("requests") or {}).get(name)
        if asked is None:
            where = f"container {each['name']} of Pod {pod['metadata']['name']}"
            raise Unmeasured("FailedGetResourceMetric", f"missing request for {name} in {where}")
        total += float(quantity.parse(asked))
    return total


def _amount(name: str, value: float) -> str:
    return f"{math.ceil(value * 1000)}m" if name == "cpu" else str(round(value))


# --- the number ---


def bounded(spec: Doc, current: int, wished: int, history: History, now: float) -> Bounded:
    """The number after the windows, the speeds and the bounds of the spec."""
    behavior = spec.get("behavior") or {}
    up, down = _rules(behavior.get("scaleUp"), _UP, _UP_S), _rules(behavior.get("scaleDown"), _DOWN, _DOWN_S)
    calm = _stable(wished, current, history, now, up["window"], down["window"])
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    fast, slow = _limit(up, current, history, now, 1), _limit(down, current, history, now, -1)
    if calm > min(most, fast):
        word = "TooManyReplicas" if most <= fast else "ScaleUpLimit"
        told = (
            "more than the maximum replica count" if most <= fast else "increasing faster than the maximum scale rate"
        )
        return Bounded(replicas=max(min(most, fast), min(current, most)), limited=word, message=_told(told))
    if calm < max(least, slow):
        word = "TooFewReplicas" if least >= slow else "ScaleDownLimit"
        told = (
            "less than the minimum replica count" if least >= slow else "decreasing faster than the maximum scale rate"
        )
        return Bounded(replicas=max(least, slow), limited=word, message=_told(told))
    return Bounded(replicas=calm)


def _told(what: str) -> str:
    return f"the desired replica count is {what}"


def _rules(given: Doc | None, policies: Iterable[Doc], window_s: int) -> Doc:
    given = given or {}
    window = given.get("stabilizationWindowSeconds")
    return {
        "window": window_s if window is None else window,
        "select": given.get("selectPolicy") or "Max",
        "policies": given.get("policies") or policies,
    }


def _stable(wished: int, current: int, history: History, now: float, up_s: int, down_s: int) -> int:
    """Up no further than what was wished all along the window, down no further either."""
    for_up = min([wished, *(n for at, n in history.wishes if now - at <= up_s)])
    for_down = max([wished, *(n for at, n in history.wishes if now - at <= down_s)])
    return max(for_up, min(current, for_down))


def _limit(rules: Doc, current: int, history: History, now: float, direction: Literal[1, -1]) -> int:
    """How far it may go now, by what was changed within each policy's period."""
    if rules["select"] == "Disabled":
        return current
    limits = []
    for policy in rules["policies"]:
        recent = sum(by for at, by in history.changes if now - at <= policy["periodSeconds"] and by * direction > 0)
        began = current - recent
        step = policy["value"] if policy["type"] == "Pods" else began * policy["value"] / 100
        limits.append(math.ceil(began + step) if direction > 0 else math.floor(began - step))
    farthest = max if (rules["select"] == "Max") == (direction > 0) else min
    return max(int(farthest(limits)), 0)
