"""Rules over the series: alerts, and series that are recorded.

    document ─▶ rules.groups(...) ─▶ Group ─▶ Groups.evaluate(now) ─▶ samples in the store, Alerts

`written` reads what a user wrote and says what is wrong with it; `alerts` decides what becomes of an alert at each
evaluation; `templates` writes its texts. Nothing reads a clock. Source: Prometheus 2, rules/.
"""

from semafor.telemetry.rules.evaluation import Groups
from semafor.telemetry.rules.written import Fault, Group, Rule, read

__all__ = ["Fault", "Group", "Groups", "Rule", "read"]
