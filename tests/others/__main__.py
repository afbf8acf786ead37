"""python -m tests.others http://127.0.0.1:9090: every query of Istio's dashboards, asked at that Prometheus's API.

For a mesh with traffic: kubectl port-forward -n istio-system svc/prometheus 9090
"""

import sys
from collections import Counter

from tests.others import dashboards


def main(address: str) -> int:
    """The number of queries that were refused."""
    counts: Counter[tuple[str, str]] = Counter()
    for asked in dashboards.all_of(address):
        outcome = "refused" if asked.series < 0 else "series" if asked.series else "nothing"
        foreign = outcome == "nothing" and dashboards.FOREIGN.search(asked.query)
        counts[asked.dashboard, "foreign" if foreign else outcome] += 1
        if outcome != "series" and not foreign:
            print(f"{outcome}: {asked.dashboard}, {asked.panel}: {asked.query} {asked.why}")
    for (dashboard, outcome), number in sorted(counts.items()):
        print(f"{dashboard:40}{outcome:10}{number:4}")
    return sum(number for (_, outcome), number in counts.items() if outcome == "refused")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) and 1)
