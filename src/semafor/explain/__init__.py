"""What becomes of a request, and why: the plans of those it passes, walked as Envoy would walk them.

    story(request, caller, plans) ─▶ Story
      way       the caller's proxy: listener ─▶ chain ─▶ virtual host ─▶ route ─▶ cluster ─▶ endpoints
      arrivals  each proxy it may come to: listener ─▶ chain (mutual TLS) ─▶ tokens ─▶ guards ─▶ app

    live(id, seen) ─▶ Life: a request that has been, told from what the proxies have written of it
    compare(old, new) ─▶ Change*: what is different between two plans of one proxy

In: a request that somebody imagines or has made, and the plans that the proxies were given. Out: every decision
with the object and field behind it, what it won against, and for a failure the cause and what would mend it.
Never: the network, the objects themselves (their mistakes are told elsewhere), or a decision of its own: what it says
follows from the plan by Envoy's rules, and tests hold it against real Envoys.
"""

from semafor.explain.difference import Change, compare
from semafor.explain.entry import Entry, Reader, formats, read, reader
from semafor.explain.life import Life, Place, Seen, live
from semafor.explain.life_lines import of_life
from semafor.explain.lines import lines, of_arrival
from semafor.explain.request import Caller, Request
from semafor.explain.story import Arrival, Instance, Outcome, Story, Target, Tried, Way
from semafor.explain.telling import story

__all__ = [
    "Arrival",
    "Caller",
    "Change",
    "Entry",
    "Instance",
    "Life",
    "Outcome",
    "Place",
    "Reader",
    "Request",
    "Seen",
    "Story",
    "Target",
    "Tried",
    "Way",
    "compare",
    "formats",
    "lines",
    "live",
    "of_arrival",
    "of_life",
    "read",
    "reader",
    "story",
]
