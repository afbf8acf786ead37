"""`redirect JSON`: the init container of injected pods. Has the kernel send the pod's traffic to its sidecar.

It talks netlink, needs CAP_NET_ADMIN for that moment, and no program beside itself. The rules go with the pod.
"""

import sys

import msgspec

from semafor.kube.node import nft
from semafor.kube.node.spec import Interception, NodeNetwork


def arguments(wanted: Interception) -> str:
    """What `main` is to be told."""
    return msgspec.json.encode(wanted).decode()


def main(text: str) -> None:
    """Make the rules in the network namespace of this process. Raises NetlinkError, msgspec.MsgspecError."""
    wanted = msgspec.json.decode(text, type=Interception)
    nft.install(nft.pod(wanted, NodeNetwork()))


if __name__ == "__main__":
    main(sys.argv[1])
