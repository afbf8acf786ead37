"""Who answers questions for names."""

from semafor.base.struct import Value


class DnsRelay(Value, cache_hash=True):
    """Questions that interception sends here are passed on, as they are, to one of these resolvers (addresses)."""

    resolvers: tuple[str, ...]
