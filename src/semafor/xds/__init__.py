"""Delivery of named, versioned bytes to Envoys: delta ADS.

In: the `Resources` that each proxy should have, with a generation number. Out: responses in the order that drops no
request, and what each proxy has taken (`Settled`) or refused (`Refused`).
It never knows what the bytes mean. `session` decides and does no I/O; `server` is the gRPC shell around it.
"""
