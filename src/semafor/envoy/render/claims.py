"""Where the filter that checks tokens leaves what they claim, and the one that allows looks for it."""

from typing import Final

FILTER: Final = "envoy.filters.http.jwt_authn"
KEY: Final = "payload"
