"""What becomes of a request, and why: the plans of those it passes, walked as Envoy would walk them.

    story(request, caller, plans) ─▶ Story
      way       the caller's proxy: listener ─▶ chain ─▶ virtual host ─▶ route ─▶ cluster ─▶ endpoints
      arrivals  each proxy it may come to: listener ─▶ chain (mutual TLS) ─▶ tokens ─▶ guards ─▶ app

In: a request that somebody imagines, and the plans that the proxies were given. Out: every decision with the object and
field behind it, what it won against, and for a failure the cause and what would mend it.
Never: the network, the objects themselves (their mistakes are told elsewhere), or a decision of its own: what it says
follows from the plan by Envoy's rules, and tests hold it against real Envoys.
"""

from semafor.explain.lines import lines, of_arrival
from semafor.explain.request import Caller, Request
from semafor.explain.story import Arrival, Instance, Outcome, Story, Target, Tried, Way
from semafor.explain.telling import story

__all__ = [
    "Arrival",
    "Caller",
    "Instance",
    "Outcome",
    "Request",
    "Story",
    "Target",
    "Tried",
    "Way",
    "lines",
    "of_arrival",
    "story",
]
