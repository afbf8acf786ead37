"""The root of a container, as a list of mounts: pure, so that a test can read it.

    /            the image's layers over the skeleton (folders, /etc of our own)        writable
    /usr, ...    the image's /usr over the host's: its programs and libraries           writable
    <prefix>     the host's Python or Node.js where it lives outside /usr               read-only
    <file>       single files of the host that the image brings                         read-only

What is written goes to the container's own folder; the host's files never change, and of the host nothing but these
folders is seen. Files of the host's root user cannot be changed by an ordinary user (copying them up needs their
owner); new ones can be added beside them wherever the skeleton has the folder.
"""

from semafor.base.struct import Value
from semafor.kube.images.host import Host
from semafor.kube.images.mounts import MountOp


class Root(Value):
    """What a container's root is made of.

    `layers` are the image's folders, top first; none means the host's files alone. `writable` is an existing folder
    of the container's own: what it changes outlives it there. When empty, nothing can be added, not even mount points.
    `read_only` lets `mounts.seal` make the root read-only after those have been made. `binds` are pairs (path on the
    host, path inside) of files or folders to show, read-only.
    """

    layers: tuple[str, ...] = ()
    writable: str = ""
    read_only: bool = False
    binds: tuple[tuple[str, str], ...] = ()


def plan(root: Root, host: Host) -> tuple[MountOp, ...]:
    """The mounts that make the root, in order; `mounts.execute` carries them out.

    `host.skeleton` lies below the root's own layers. Without `root.writable` the root is read-only.
    """
    layers = tuple(filter(None, (*root.layers, host.mount_points, host.skeleton)))
    whole = _overlay(root, "/", layers)
    folders = tuple(_host_folder(root, layers, name) for name in host.folders)
    shown = dict.fromkeys((*host.prefixes, *root.binds))
    binds = tuple(MountOp("bind", inside, source=source, read_only=True) for source, inside in shown)
    return (whole, *folders, *binds)


def _host_folder(root: Root, layers: tuple[str, ...], name: str) -> MountOp:
    """One of the host's system folders, such as `usr`, below what the layers add to it."""
    return _overlay(root, f"/{name}", (*(f"{layer}/{name}" for layer in layers), f"/{name}"))


def _overlay(root: Root, target: str, lowers: tuple[str, ...]) -> MountOp:
    if not root.writable:
        return MountOp("overlay", target, lowers=lowers)
    part = _part(target)
    return MountOp(
        "overlay",
        target,
        lowers=lowers,
        upper=f"{root.writable}/upper/{part}",
        work=f"{root.writable}/work/{part}",
        read_only=root.read_only,
    )


def _part(target: str) -> str:
    """The folder that keeps the changes below one mount: `root`, `usr`, `usr-local`."""
    return target.strip("/").replace("/", "-") or "root"


def committed(writable: str, host: Host) -> tuple[tuple[str, str], ...]:
    """The (from, to) renames that make one layer of a container's changes: afterwards it is `writable`/upper/root."""
    upper = f"{writable}/upper"
    return tuple((f"{upper}/{_part(name)}", f"{upper}/root/{name}") for name in host.folders)
