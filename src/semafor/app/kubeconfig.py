"""kubectl's configuration: our own file in the home, and our context merged into the user's file."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ryaml
import yaml

Config = dict[str, Any]


@dataclass(frozen=True)
class Access:
    """How to reach the API of one mesh."""

    context: str
    server: str
    ca_pem: str
    token: str

    def __repr__(self) -> str:
        return f"Access({self.context!r}, {self.server!r}, token=<redacted>)"


def access(config: Config) -> Access:
    """The access that our own kubeconfig, as written by `document`, describes."""
    cluster, user = config["clusters"][0], config["users"][0]["user"]
    ca_pem = base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
    return Access(cluster["name"], cluster["cluster"]["server"], ca_pem, user["token"])


def document(access: Access) -> Config:
    """A complete kubeconfig with one cluster, one user and one context."""
    config: Config = {"apiVersion": "v1", "kind": "Config"}
    return merged(config, access)


def merged(config: Config, access: Access) -> Config:
    """`config` with our cluster, user and context put in (replacing older ones) and our context current."""
    name = access.context
    cluster = {"server": access.server, "certificate-authority-data": base64.b64encode(access.ca_pem.encode()).decode()}
    return {
        **without(config, name),
        "clusters": [*_others(config, "clusters", name), {"name": name, "cluster": cluster}],
        "users": [*_others(config, "users", name), {"name": name, "user": {"token": access.token}}],
        "contexts": [*_others(config, "contexts", name), {"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def without(config: Config, name: str, previous: str = "") -> Config:
    """`config` without our entries; `previous` becomes current again if ours was."""
    result = dict(config) | {part: _others(config, part, name) for part in ("clusters", "users", "contexts")}
    if config.get("current-context") == name:
        known = {entry["name"] for entry in result["contexts"]}
        result["current-context"] = previous if previous in known else ""
    return result


def user_file() -> Path:
    """The file that `kubectl config` would write: the first of $KUBECONFIG, else ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(":")[0]
    return Path(first).expanduser() if first else Path("~/.kube/config").expanduser()


def read(path: Path) -> Config:
    """The file's content; an absent or empty file is an empty configuration."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {"apiVersion": "v1", "kind": "Config"}
    loaded = ryaml.loads(text) if text.strip() else {}
    if not isinstance(loaded, dict):
        raise ValueError(f"{path} is not a kubeconfig: its top level is no mapping")
    return loaded


def write(path: Path, config: Config) -> None:
    """Replace the file in one step, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text(yaml.safe_dump(config, sort_keys=False))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _others(config: Config, part: str, name: str) -> list[Any]:
    return [entry for entry in config.get(part) or [] if entry.get("name") != name]
