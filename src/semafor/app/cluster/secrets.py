"""What proxies of a cluster are told of their certificates: which files to read, and whom to trust.

The same for all of them, whichever replica they ask: their agents keep the files, and no replica remembers a leaf.
"""

from typing import Final

from semafor.app.identities import Wanted
from semafor.base.xds import Resources
from semafor.ca.authority import Authority
from semafor.envoy import secrets
from semafor.envoy.pool import Pool

FOLDER: Final = "/var/run/secrets/semafor.io/tls"  # of the proxy's container, in memory; the agent's alone
CURRENT: Final = "current"  # a link in it, to the folder with the files of the newest certificate
CHAIN: Final = "cert-chain.pem"
KEY: Final = "key.pem"
ROOTS: Final = "root-cert.pem"


class Files:
    """A fleet.Secrets."""

    def __init__(self, pool: Pool, authority: Authority, folder: str = FOLDER) -> None:
        current = f"{folder}/{CURRENT}"
        identity = secrets.identity_of_files(pool, f"{current}/{CHAIN}", f"{current}/{KEY}", folder)
        self._told = Resources.of((identity, secrets.trust(pool, authority.root_pem)))

    def want(self, proxy: str, wanted: Wanted) -> bool:  # noqa: ARG002 its agent asks by itself
        return False

    def of(self, proxy: str) -> Resources | None:  # noqa: ARG002 the same for all
        return self._told

    def forget(self, proxy: str) -> None:
        """Nothing is remembered."""
