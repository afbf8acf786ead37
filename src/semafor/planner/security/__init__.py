"""Who may connect, and how: PeerAuthentication (mutual TLS or not), AuthorizationPolicy (who may do what).

In: the typed objects, read once each. Out: the mode of each port of a workload, and the guards before it.
Never: a look at certificates or keys; those are named in the plan, and made elsewhere.
"""
