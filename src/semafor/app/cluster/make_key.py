"""`python -m semafor.app.cluster.make_key FILE`: a new private key in FILE, its request for a certificate on stdout.

A process of its own, so that the agent, which stays, need not have the library for it in memory: 12 MB in each pod.
"""

import os
import sys

from semafor.ca import keys


def main() -> None:
    """Make both. The file must not exist."""
    made = keys.generate()
    with os.fdopen(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(made.pem)
    sys.stdout.buffer.write(keys.request(made))


if __name__ == "__main__":
    main()
