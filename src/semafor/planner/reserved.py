"""The proxies' own ports: where users' listeners would stand in their way, and Envoy would refuse them."""

from typing import Final

# Source: Istio's "Application Requirements", ports used by Istio.
PORTS: Final = frozenset(
    {
        15000,  # Envoy's admin interface
        15001,  # what a pod sends
        15006,  # what it gets
        15020,  # metrics of all
        15021,  # whether the proxy is ready
        15053,  # DNS
        15090,  # Envoy's metrics
    }
)
