"""`python -m bookinfo SERVICE [PORT]`."""

import signal
import sys

from . import backends, productpage, server

SERVICES = {
    "productpage": productpage.productpage,
    "details": backends.details,
    "ratings": backends.ratings,
    "reviews": backends.reviews,
}

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    name = sys.argv[1]
    server.serve(name, SERVICES[name], int(sys.argv[2]) if len(sys.argv) > 2 else server.PORT)
