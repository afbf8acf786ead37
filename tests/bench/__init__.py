"""The benchmark: measures the budgets on this machine, through the same commands and calls that users make.

In: nothing but the machine. Out: a table, or JSON with every sample. It never touches a mesh that runs already, nor the
user's kubeconfig: each part starts a mesh of its own in a temporary home, and removes it.

    python -m tests.bench [--quick] [-o json] [up] [pods] [change] [memory] [traffic] [judge] [scale]
"""
