"""The whole story: what the caller's proxy decides, then each proxy that the request may come to, then the verdict."""

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from semafor.explain import inbound, outbound
from semafor.explain.inbound import Approach
from semafor.explain.request import Caller, Request
from semafor.explain.story import Arrival, Instance, Outcome, Story, Target, Verdict, Way
from semafor.ir import Plan

Plans = Callable[[str], Plan | None]  # of a pod `namespace/name`; None where it has no proxy

_OUTSIDE = Caller(name="outside")
_HELLO_REQUEST = ("h2", "http/1.1")
_ERROR = 400


def story(
    request: Request, caller: Caller, plans: Plans, *, direct: tuple[Instance, ...] = (), at_edge: bool = False
) -> Story:
    """Tell it. `direct` are the instances that a caller without a proxy comes to.

    `at_edge`: the request comes from outside to the gateway `caller`.
    """
    plan = plans(caller.name)
    way = None
    if plan is not None:
        way = outbound.entrance(plan, request, _OUTSIDE) if at_edge else outbound.way(plan, request)
    found = _alike(_arrivals(way, request, caller, plans, direct))
    return _judged(Story(request=request, caller=caller, verdict="passes", summary="", way=way, arrivals=tuple(found)))


def _arrivals(
    way: Way | None, request: Request, caller: Caller, plans: Plans, direct: tuple[Instance, ...]
) -> Iterator[Arrival]:
    if way is None:
        for each in direct:
            yield _arrival(each, request, Approach(name=caller.name, address=caller.address), plans)
        return
    for outcome in way.outcomes:
        sent = _rewritten(request, outcome)
        for target in outcome.targets:
            for each in target.instances:
                if each.workload and each.health != "unhealthy":
                    yield _arrival(each, sent, _approach(caller, target, each), plans)


def _approach(caller: Caller, target: Target, instance: Instance) -> Approach:
    protocols = target.protocols or _HELLO_REQUEST
    return Approach(
        name=caller.name,
        identity=caller.identity,
        address=caller.address,
        remote_address=caller.remote_address,
        mutual_tls=instance.mutual_tls,
        protocols=protocols,
    )


def _arrival(instance: Instance, request: Request, approach: Approach, plans: Plans) -> Arrival:
    port = int(instance.address.rpartition(":")[2])
    plan = plans(instance.workload)
    if plan is None:
        sent = "mutual TLS" if approach.mutual_tls else "plain text"
        return Arrival(workload=instance.workload, port=port, has_proxy=False, transport=sent)
    return inbound.arrival(
        plan, instance.workload, replace(request, address=instance.address.rpartition(":")[0]), approach, port
    )


def _rewritten(request: Request, outcome: Outcome) -> Request:
    """As the callee sees it: with the new path, and with the headers that the route sets, adds and removes."""
    query = request.path.partition("?")
    path = outcome.path + query[1] + query[2] if outcome.path else request.path
    gone = {name.lower() for name in (*outcome.request.remove, *(name for name, _ in outcome.request.set))}
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in gone)
    headers = (*kept, *outcome.request.set, *outcome.request.add)
    return replace(request, path=path, headers=headers, host=outcome.host or request.host)


def _alike(found: Iterable[Arrival]) -> Iterator[Arrival]:
    """Each different fate once, with all the workloads that it is of."""
    groups: dict[Arrival, list[str]] = {}
    for each in found:
        names = groups.setdefault(replace(each, workload=""), [])
        if each.workload not in names:
            names.append(each.workload)
    for fate, names in groups.items():
        yield replace(fate, workload=names[0], alike=tuple(names[1:]))


# --- the verdict ---


def _judged(told: Story) -> Story:
    fates = list(_fates(told))
    verdicts = {verdict for verdict, _, _ in fates}
    worst = next((each for each in fates if each[0] != "passes"), None)
    verdict: Verdict = "depends" if len(verdicts) > 1 else next(iter(verdicts), "fails")
    cause, mend = (worst[1], worst[2]) if worst else ("", "")
    return replace(told, verdict=verdict, summary=_summary(told, verdict), cause=cause, mend=mend)


def _fates(told: Story) -> Iterator[tuple[Verdict, str, str]]:
    """Verdict, cause and mend of everything that may become of the request."""
    way = told.way
    if way and way.closed:
        yield "refused", f"the connection is closed: {way.closed}", ""
    for outcome in way.outcomes if way else ():
        if outcome.status >= _ERROR:
            yield "fails", f"{outcome.rule or 'the proxy'}: {outcome.status} {outcome.reason}", ""
        elif outcome.status:
            yield "passes", "", ""
        for target in outcome.targets:
            if target.missing:
                yield "fails", target.missing, ""
            elif not any(each.workload for each in target.instances):
                yield "passes", "", ""
    for arrival in told.arrivals:
        if arrival.refusal:
            status = f"{arrival.status} " if arrival.status else ""
            yield "refused", f"{arrival.workload} refuses: {status}{arrival.refusal}", arrival.mend
            continue
        asked = ", ".join(each.asks for each in arrival.judged if each.asks)
        if asked:
            yield "depends", f"{arrival.workload}: {asked} is asked, and decides", ""
        else:
            yield "passes", "", ""


def _summary(told: Story, verdict: Verdict) -> str:
    outcomes = told.way.outcomes if told.way else ()
    parts = [text for outcome in outcomes for text in _shares(outcome)]
    where = ", ".join(parts) or ", ".join(each.workload for each in told.arrivals)
    return f"{verdict}: {where}" if where else verdict


def _shares(outcome: Outcome) -> Iterator[str]:
    if outcome.status:
        yield f"{outcome.share:g} % answered {outcome.status} {outcome.location or outcome.reason}".strip()
    for target in outcome.targets:
        share = outcome.share * target.share / 100
        yield f"{share:.4g} % to {target.cluster}"
