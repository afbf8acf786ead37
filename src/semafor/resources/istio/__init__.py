"""Istio's kinds: networking, security, telemetry, extensions. Documents in, field errors out; never interprets them."""
