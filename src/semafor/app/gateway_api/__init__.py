"""What the Gateway API asks of a controller beside routing: a workload for each Gateway, and statuses.

    planner.gateway_api ─▶ workloads (documents) ─▶ controller: create, patch, delete
                        └▶ conditions, gateways, routes, policies (documents) ─▶ statuses: patch

`controller` and `statuses` do the input and output; the others are pure.
"""
