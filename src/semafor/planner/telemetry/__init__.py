"""What proxies tell of their traffic: metrics, logs and traces, as Telemetry and the mesh's settings want it."""
