"""Names that the proxy answers itself."""

from semafor.base.struct import Value


class DnsRecord(Value):
    """The addresses of one full name, without a final dot. `*.example.com` answers for every name below."""

    name: str
    addresses: tuple[str, ...]


class DnsTable(Value, cache_hash=True):
    """Sorted records; other names are asked of `resolvers` (addresses, port 53)."""

    records: tuple[DnsRecord, ...]
    resolvers: tuple[str, ...] = ()
    ttl_s: int = 30
