"""What a DestinationRule's traffic policy says, read into values: one module for each of its parts.

In: the typed documents. Out: `policy.Policy`, and a Problem for each field or value that has no effect.
Never here: which policy applies to whom (`destination_rule`), or what a cluster becomes by it (`clusters`).
"""
