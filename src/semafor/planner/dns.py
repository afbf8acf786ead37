"""The names that a sidecar answers itself."""

from semafor.ir import DnsRecord, DnsTable
from semafor.planner.mesh import Mesh


def table(mesh: Mesh) -> DnsTable:
    """Every service by its full host: its address, or the addresses of its instances where it is headless.

    Short names arrive in full too, since the resolvers of pods append the search domains.
    """
    headless = (mesh.instances(service) for service in mesh.by_host.values() if service.headless)
    return mesh.memo("dns", (mesh.by_host, *headless), lambda: _table(mesh))


def _table(mesh: Mesh) -> DnsTable:
    return DnsTable(records=tuple(_records(mesh)), resolvers=mesh.options.resolvers)


def _records(mesh: Mesh) -> list[DnsRecord]:
    records = []
    for service in mesh.by_host.values():
        instances = mesh.instances(service) if service.headless else ()
        addresses = (service.address,) if service.address else tuple(instance.ip for instance in instances)
        if addresses:
            records.append(DnsRecord(name=service.host, addresses=addresses))
        records += [
            DnsRecord(name=f"{instance.hostname}.{service.host}", addresses=(instance.ip,))
            for instance in instances
            if instance.hostname
        ]
    return records
