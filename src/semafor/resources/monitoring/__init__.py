"""The Prometheus operator's kinds. Documents in, field errors out; no query is evaluated."""
