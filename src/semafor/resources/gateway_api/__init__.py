"""The Gateway API's kinds. Documents in, defaults and field errors out; nothing is stored or interpreted."""

from collections.abc import Mapping
from types import MappingProxyType

GROUP = "gateway.networking.k8s.io"

# Which release the kinds are of, as its own definitions say it. Its conformance suite wants to be of the same release.
BUNDLE: Mapping[str, str] = MappingProxyType({f"{GROUP}/bundle-version": "v1.6.3", f"{GROUP}/channel": "standard"})
