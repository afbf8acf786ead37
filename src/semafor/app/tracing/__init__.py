"""Traces in the daemon: reports come in by three doors, one thread writes them, Jaeger's API tells them.

Envoys, applications ─OTLP gRPC, OTLP HTTP, Zipkin─▶ Traces ─▶ telemetry.traces.store ─▶ Jaeger's HTTP API
"""
