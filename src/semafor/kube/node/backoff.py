"""Kubernetes' delay between restarts of a container: none, 10 s, 20 s ... 5 min; forgotten after 10 good minutes.

Source: k8s.io/client-go/util/flowcontrol/backoff.go and the kubelet's doBackOff.
"""

from semafor.base.struct import Value

FIRST_S = 10.0
LIMIT_S = 300.0
FORGET_S = 2 * LIMIT_S


class BackOff(Value):
    """`delay_s` is what the next restart waits after the end of a run; `since` is when the last restart was made."""

    delay_s: float = 0.0
    since: float = 0.0


def restart_at(back_off: BackOff, finished_at: float) -> float:
    """When a container whose run ended at `finished_at` may start again."""
    return finished_at if _forgotten(back_off, finished_at) else finished_at + back_off.delay_s


def restarted(back_off: BackOff, finished_at: float, now: float) -> BackOff:
    """The back-off after a restart at `now` of a run that ended at `finished_at`."""
    if _forgotten(back_off, finished_at):
        return BackOff(delay_s=FIRST_S, since=now)
    return BackOff(delay_s=min(2 * back_off.delay_s, LIMIT_S), since=now)


def _forgotten(back_off: BackOff, finished_at: float) -> bool:
    return back_off.delay_s == 0 or finished_at - back_off.since > FORGET_S
