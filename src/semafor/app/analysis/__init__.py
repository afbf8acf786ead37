"""What is wrong with configuration before it is applied, or as it is: `semafor analyze` and `semafor validate`.

    files, the mesh ─▶ reading ─▶ documents with their places ─▶ analyzing ─▶ messages with istioctl's codes

In: documents from files, from the API, or from both together. Out: messages. The checker is the planner's own, the one
that runs at `kubectl apply`; `hygiene` adds what is no mistake of a rule, but of what is around it.
Never: the network; whoever calls fetches what there is.
"""
