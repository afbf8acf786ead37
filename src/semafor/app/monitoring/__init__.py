"""Metrics on one machine: reads every proxy, annotated pod and the daemon itself, keeps what they say, answers PromQL.

pods ─▶ targets ─▶ scraper ─ fetch ─▶ the thread ─▶ telemetry.ingest ─▶ telemetry.series
                                          └─ queries of the API, of the page ─▶ telemetry.promql

What is kept and computed lives in one thread of its own (`thread`), so that neither a large answer nor a long query
holds the daemon's loop; numpy and all that needs it is loaded there, after the mesh is ready.
"""
