"""An image: its layers, and how its process is started."""

from semafor.base.struct import Value


class Config(Value):
    """What an image says about its process. `shell` is what the shell form of commands is given to."""

    env: tuple[tuple[str, str], ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    workdir: str = "/"
    user: str = ""
    exposed: tuple[int, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    stop_signal: str = "SIGTERM"


class Image(Value):
    """An image that containers can be started from.

    `ref` is its full name, `id` changes whenever its content or configuration does. `layers` are folders, top first.
    `binds` are pairs (path on the host, path inside) of files to show, read-only. `notes` are sentences for people:
    what this image is here, where that differs from its name. `built_at` is in seconds since the epoch, 0 for a
    well-known image. `size_bytes` counts the layers alone, not the host's files under them.
    """

    ref: str
    id: str
    layers: tuple[str, ...] = ()
    config: Config = Config()
    binds: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    built_at: float = 0
    size_bytes: int = 0

    @property
    def env(self) -> tuple[tuple[str, str], ...]:
        return self.config.env

    @property
    def entrypoint(self) -> tuple[str, ...]:
        return self.config.entrypoint

    @property
    def cmd(self) -> tuple[str, ...]:
        return self.config.cmd

    @property
    def workdir(self) -> str:
        return self.config.workdir

    @property
    def user(self) -> str:
        return self.config.user

    @property
    def exposed(self) -> tuple[int, ...]:
        return self.config.exposed
