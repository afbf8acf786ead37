"""A story as lines of text, for people."""

from collections.abc import Iterable, Iterator

from semafor.explain.story import Arrival, Instance, Judged, Outcome, Story, Target, Tried, Way
from semafor.ir import HeaderOps, Origin

_MOST = 8  # routes, rules or instances of one kind that are listed; the JSON has them all
_INDENT = "  "


def lines(story: Story) -> Iterator[str]:
    """The verdict first, then the request's way from proxy to proxy."""
    outside = story.way is not None and story.way.entrance
    yield f"{story.request}  from {'outside' if outside else story.caller.name}"
    yield story.summary
    if story.cause:
        yield f"why       {story.cause}"
    if story.mend:
        yield f"mend      {story.mend}"
    yield ""
    yield from _caller(story)
    for problem in story.problems:
        yield f"  problem   {problem}"
    for arrival in story.arrivals:
        yield ""
        yield from _arrival(arrival)


def _caller(story: Story) -> Iterator[str]:
    way, who = story.way, story.caller
    proves = f"  {who.identity}" if who.identity else ""
    if way is None:
        yield f"caller    {who.name}  has no sidecar: its requests go to any ready instance, in plain text"
        return
    yield f"{'gateway' if way.entrance else 'caller':9} {who.name}{proves}"
    yield from _indented(_way(way))


def _way(way: Way) -> Iterator[str]:
    yield f"listener  {way.listener}" + (f"  chain {way.chain}" if way.chain else "")
    for patch in way.patches:
        yield f"patched   by {patch}, which is not told here"
    if way.closed:
        yield f"closed    {way.closed}"
    for judged in way.judged:
        yield from _judged(judged)
    if way.virtual_host:
        yield f"host      {way.domain}  ({way.virtual_host}{_by(way.rule)})"
    for outcome in way.outcomes:
        yield from _outcome(outcome)
    yield from _tried("passed by", way.before)
    yield from _tried("overruled", way.later)


def _outcome(outcome: Outcome) -> Iterator[str]:
    share = "" if outcome.share == 100 else f"  {outcome.share:.4g} % of such requests"
    if outcome.rule or outcome.route:
        match = f"  takes {outcome.match}" if outcome.match else ""
        yield f"route     {outcome.rule or outcome.route}{match}{share}"
    if outcome.status:
        yield f"answer    {outcome.status} {outcome.location or outcome.reason}".rstrip() + (
            "" if outcome.rule else share
        )
    yield from _settings(outcome)
    for target in outcome.targets:
        yield from _target(target, alone=len(outcome.targets) == 1)
    for mirror in outcome.mirrors:
        yield f"copy      {mirror.percent:g} % to {mirror.cluster}{_by(mirror.origin)}"


def _settings(outcome: Outcome) -> Iterator[str]:
    if outcome.delay_share:
        yield f"delay     {outcome.delay_s:g} s for {outcome.delay_share:g} %"
    if outcome.path or outcome.host:
        yield f"rewritten {' '.join(part for part in (outcome.host, outcome.path) if part)}"
    yield from _headers(outcome.request, outcome.response)
    if outcome.targets and outcome.match:
        yield f"time-out  {f'{outcome.timeout_s:g} s' if outcome.timeout_s else 'none'}"
    if outcome.retry:
        per_try = outcome.retry.per_try_timeout_s
        limit = f", {per_try:g} s each" if per_try else ""
        yield f"retries   {outcome.retry.attempts}{limit}, on {', '.join(outcome.retry.retry_on)}"
    if outcome.tunnel:
        yield f"tunnel    {outcome.tunnel}"


def _headers(request: HeaderOps, response: HeaderOps) -> Iterator[str]:
    for side, ops in (("request", request), ("answer", response)):
        found = [f"remove {name}" for name in ops.remove]
        found += [
            f"{how} {name}: {value}" for how, pairs in (("set", ops.set), ("add", ops.add)) for name, value in pairs
        ]
        if found:
            yield f"headers   of the {side}: {', '.join(found)}"


def _target(target: Target, *, alone: bool) -> Iterator[str]:
    share = "" if alone else f"{target.share:.4g} %  "
    yield f"to        {share}{target.cluster}{_by(target.cluster_rule)}"
    yield from _indented(_inside(target))


def _inside(target: Target) -> Iterator[str]:
    if target.missing:
        yield f"missing   {target.missing}"
        return
    if target.host:
        yield f"host      {target.host}"
    yield from _headers(target.request, target.response)
    yield f"sends     {target.sends}"
    if target.balancer:
        yield f"chooses   {target.balancer}"
    for name, text in (("outliers", target.outliers), ("limits", target.limits)):
        if text:
            yield f"{name:9} {text}"
    for instance in target.instances[:_MOST]:
        yield f"instance  {_instance(instance)}"
    yield from _more(target.instances)


def _instance(one: Instance) -> str:
    details = [one.workload, one.locality, "" if one.health == "healthy" else one.health]
    details += [f"priority {one.priority}"] if one.priority else []
    return "  ".join(part for part in (one.address, *details) if part)


def _tried(word: str, routes: tuple[Tried, ...]) -> Iterator[str]:
    for each in routes[:_MOST]:
        yield f"{word:9} {each.rule or each.name}: {each.reason}"
    yield from _more(routes)


def of_way(way: Way) -> Iterator[str]:
    """What the caller's proxy makes of a request."""
    return _way(way)


def inside_arrival(arrival: Arrival) -> Iterator[str]:
    """What one workload's proxy makes of a request, without its name."""
    return _inbound(arrival)


def of_arrival(arrival: Arrival) -> Iterator[str]:
    """What one workload's proxy makes of a request."""
    yield from _arrival(arrival)
    if arrival.mend:
        yield f"mend      {arrival.mend}"


def _arrival(arrival: Arrival) -> Iterator[str]:
    others = f"  and {len(arrival.alike)} more alike: {', '.join(arrival.alike[:_MOST])}" if arrival.alike else ""
    yield f"callee    {arrival.workload}, port {arrival.port}{others}"
    yield from _indented(_inbound(arrival))


def _inbound(arrival: Arrival) -> Iterator[str]:
    if not arrival.has_proxy:
        yield f"no proxy  nothing stands before the app; the connection is {arrival.transport}"
        return
    proven = f", and the caller is {arrival.identity}" if arrival.identity else ", and the caller proves nothing"
    yield f"listener  chain {arrival.chain or 'none'}: {arrival.transport}{proven}"
    for patch in arrival.patches:
        yield f"patched   by {patch}, which is not told here"
    if not arrival.judged and not arrival.refusal:
        yield "policies  none"
    for judged in arrival.judged:
        yield from _judged(judged)
    if arrival.refusal:
        yield f"refused   {f'{arrival.status} ' if arrival.status else ''}{arrival.refusal}"
    else:
        yield "app       gets it"


def _judged(judged: Judged) -> Iterator[str]:
    trial = " (dry run)" if judged.dry_run else ""
    word = f"asks {judged.asks}, which decides" if judged.asks else "passes" if judged.passes else "refuses"
    yield f"{judged.action.upper():9} {word}{trial}"
    for each in judged.rules[:_MOST]:
        verdict = "takes it" if each.takes else f"does not take it: {each.reason}"
        yield f"{_INDENT}{each.rule or each.name} {verdict}"
    yield from _more(judged.rules)


def _by(origin: Origin | None) -> str:
    return f", by {origin}" if origin else ""


def _more(found: tuple[object, ...]) -> Iterator[str]:
    if len(found) > _MOST:
        yield f"{_INDENT}and {len(found) - _MOST} more (-o json shows them all)"


def _indented(found: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line for line in found)
