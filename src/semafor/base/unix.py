"""A gRPC server's unix socket."""

import stat
from pathlib import Path
from typing import Any


def listen(server: Any, path: Path) -> None:
    """Let the `grpc.aio` server listen on the socket, made with mode 0600; an old socket there is replaced.

    Raises OSError when the path is too long (107 bytes), or the folder cannot be written.
    """
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        raise OSError(f"cannot listen on the unix socket {path}: {error}") from error
    path.chmod(0o600)
