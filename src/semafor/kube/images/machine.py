"""What a RUN may use of the machine it is built on, and what never gets into the image: how to reach the registries.

In: the caller's environment variables. Out: variables and read-only files for the time of the build.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from semafor.base.struct import Value
from semafor.kube.images.host import SYSTEM_FOLDERS

# Names of variables that tell package managers how to reach their registries, and programs which certificates to trust.
_PREFIXES = ("PIP_", "UV_", "POETRY_", "NPM_CONFIG_", "npm_config_", "YARN_", "CARGO_", "SSL_CERT_")
_NAMES = frozenset(
    {
        *(f"{name}_{word}" for name in ("HTTP", "HTTPS", "FTP", "ALL", "NO") for word in ("PROXY",)),
        *(f"{name}_{word}" for name in ("http", "https", "ftp", "all", "no") for word in ("proxy",)),
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "GIT_SSL_CAINFO",
        "GOPROXY",
        "GOSUMDB",
        "GONOSUMDB",
        "SOURCE_DATE_EPOCH",
    }
)
# These say where to put things on this machine, which is not where the image has them.
_REFUSED = frozenset({"PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_CACHE_DIR", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON"})
_REFUSED_PREFIXES = ("UV_PROJECT", "UV_PYTHON", "UV_CACHE", "UV_TOOL", "CARGO_HOME", "CARGO_TARGET")

# The list of packages is for `programs/installer.py`.
_SYSTEM_FILES = (
    "/var/lib/dpkg/status",
    "/etc/pip.conf",
    "/etc/npmrc",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/uv/uv.toml",
)
# In the user's home -> in the image
_USER_FILES = (
    (".config/pip/pip.conf", "/root/.config/pip/pip.conf"),
    (".pip/pip.conf", "/root/.pip/pip.conf"),
    (".config/uv/uv.toml", "/root/.config/uv/uv.toml"),
    (".npmrc", "/root/.npmrc"),
)
_SETTINGS = ("pip.conf", "npmrc", "uv.toml")
_PATH = re.compile(r"(?<![\w:/.-])/[\w./@+-]+")


class Machine(Value):
    """`env` for commands; `binds` are pairs (path on the host, path inside), read-only."""

    env: tuple[tuple[str, str], ...] = ()
    binds: tuple[tuple[str, str], ...] = ()


def look(environ: Mapping[str, str]) -> Machine:
    """Choose from the caller's environment, and from the configuration files that it leads to."""
    env = {name: value for name, value in environ.items() if _passed(name)}
    env.pop("PIP_CONFIG_FILE", None)
    binds = dict(_configuration(environ))
    texts = [
        *env.values(),
        *(_read(source) for source, _ in binds.items() if source.endswith(_SETTINGS)),
    ]
    home = environ.get("HOME", "/")
    named = {path: path for path in _paths(texts) if not f"{home}/".startswith(f"{path.rstrip('/')}/")}
    return Machine(env=tuple(env.items()), binds=tuple({**binds, **named}.items()))


def _passed(name: str) -> bool:
    if name in _REFUSED or name.startswith(_REFUSED_PREFIXES):
        return False
    return name in _NAMES or name.startswith(_PREFIXES)


def _configuration(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path in _SYSTEM_FILES:
        if Path(path).exists():
            yield os.path.realpath(path), path
    home = environ.get("HOME", "")
    for name, inside in _USER_FILES if home else ():
        own = Path(home, name)
        if own.is_file() and os.access(own, os.R_OK):
            yield os.path.realpath(own), inside
    named = environ.get("PIP_CONFIG_FILE", "")
    if named and Path(named).is_file():
        yield os.path.realpath(named), "/root/.config/pip/pip.conf"


def _paths(texts: Iterable[str]) -> Iterator[str]:
    """The files and folders that settings name, such as certificates, unless containers have them anyway."""
    for text in texts:
        for path in _PATH.findall(text):
            top = path.split("/")[1]
            if path.count("/") > 1 and top not in (*SYSTEM_FOLDERS, "dev", "proc", "sys") and Path(path).exists():
                yield path


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
