"""`python -m semafor.app.start HOME`: the daemon, with the garbage collector at rest while everything is loaded.

Nothing that is loaded is garbage, and looking through it time and again takes a tenth of the start.
"""

import gc


def main() -> None:
    """Load, and run."""
    gc.disable()
    from semafor.app import daemon

    daemon.main()


if __name__ == "__main__":
    main()
