"""The virtual environment that `FROM python` brings: this machine's interpreter, with a pip of its own.

Written by hand, because `python -m venv` takes seconds and puts the wrong paths into a layer. It is made once for each
version of the interpreter.
"""

import importlib.util
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from semafor.kube.images.errors import StepError
from semafor.kube.images.host import Host

PREFIX = "/opt/venv"
_WHEEL_FOLDERS = ("ensurepip/_bundled", "/usr/share/python-wheels")  # the second is Debian's
_WHEELS = ("pip", "setuptools", "wheel")
# In /usr/local/bin as well, as in Docker's Python images.
_USUAL = ("python", "python3", "pip", "pip3")

_PIP = """#!{prefix}/bin/python
import sys
from pip._internal.cli.main import main
sys.exit(main())
"""
_ACTIVATE = """# For `. {prefix}/bin/activate`; the image has these set already.
export VIRTUAL_ENV={prefix}
export PATH="$VIRTUAL_ENV/bin:$PATH"
deactivate() {{ :; }}
"""
_WRAPPER = '#!/bin/sh\nexec {prefix}/bin/{name} "$@"\n'


def recipe(host: Host) -> tuple[str, ...]:
    """What the environment is made of; equal for equal environments."""
    return ("python", "1", host.python, host.python_version)


def variables(host: Host) -> tuple[tuple[str, str], ...]:
    """What an image with the environment sets."""
    return (
        ("PATH", f"{PREFIX}/bin:{host.search_path}"),
        ("VIRTUAL_ENV", PREFIX),
        ("LANG", "C.UTF-8"),
    )


def make(host: Host, layer: Path) -> None:
    """Fill a layer with the environment. Raises StepError when the machine has no pip to give."""
    venv = layer / PREFIX.removeprefix("/")
    packages = venv / "lib" / f"python{host.python_version}" / "site-packages"
    packages.mkdir(parents=True)
    (venv / "lib64").symlink_to("lib")
    (venv / "bin").mkdir()
    home = Path(host.python).parent
    (venv / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\nversion = {host.python_version}\n"
    )
    for name in ("python3", "python", f"python{host.python_version}"):
        (venv / "bin" / name).symlink_to(host.python)
    for name in ("pip", "pip3", f"pip{host.python_version}"):
        _program(venv / "bin" / name, _PIP.format(prefix=PREFIX))
    (venv / "bin" / "activate").write_text(_ACTIVATE.format(prefix=PREFIX))
    _add_pip(host, packages)
    _compile(host, packages / "pip")
    _usual_places(layer)


def _usual_places(layer: Path) -> None:
    """Dockerfiles name Python's programs in /usr/local/bin."""
    local = layer / "usr/local/bin"
    local.mkdir(parents=True)
    for name in _USUAL:
        _program(local / name, _WRAPPER.format(prefix=PREFIX, name=name))


def usual_names(host: Host, asked: str) -> tuple[tuple[str, str], ...]:
    """Links, as (path inside, where to), for what Docker's Python images have under the version's name.

    `asked` is the version that a tag names, or empty. A stage that copies site-packages from another one's /usr/local
    so finds them.
    """
    own = host.python_version
    version = ".".join(asked.split(".")[:2]) if "." in asked else own
    library = f"{PREFIX}/lib/python{own}"
    versions = dict.fromkeys((own, version))
    # A Python that was built into /usr/local has its own modules there.
    links = (
        () if Path(host.python).is_relative_to("/usr/local") else tuple(f"/usr/local/lib/python{v}" for v in versions)
    )
    programs = () if version == own else ((f"{PREFIX}/bin/python{version}", host.python),)
    return (*((link, library) for link in links), *programs)


def where_installed(pattern: str, layers: Iterable[str]) -> tuple[str, ...]:
    """What a stage means that copies from another one's /usr/local, where Docker's pip installs: here it is elsewhere.

    `layers` are those of the other stage, which has the environment.
    """
    path = pattern.rstrip("/")
    if path in ("/usr/local", "/usr/local/bin"):
        # The second goes over the first, so that `python` stays the environment's.
        return (path.replace("/usr/local", PREFIX, 1), pattern)
    program = path.replace("/usr/local/bin/", f"{PREFIX}/bin/", 1)
    if program != path and not path.endswith(_USUAL) and any(Path(f"{layer}{program}").exists() for layer in layers):
        return (program,)
    return (pattern,)


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _add_pip(host: Host, packages: Path) -> None:
    wheels = {wheel.name.split("-")[0]: wheel for wheel in _wheels(host)}
    for wheel in wheels.values():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    if "pip" not in wheels:
        _copy_pip(packages)


def _wheels(host: Host) -> Iterator[Path]:
    """The wheels that came with the interpreter, the newest last."""
    library = Path(host.python).parent.parent / "lib" / f"python{host.python_version}"
    for folder in _WHEEL_FOLDERS:
        for name in _WHEELS:
            yield from sorted((library / folder).glob(f"{name}-*.whl"))


def _copy_pip(packages: Path) -> None:
    """Take the pip that this program was installed with."""
    found = importlib.util.find_spec("pip")
    if not found or not found.origin:
        raise StepError("no pip on this machine: install python3-venv (or python3-pip) and build again")
    shutil.copytree(Path(found.origin).parent, packages / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    for info in Path(found.origin).parent.parent.glob("pip-*.dist-info"):
        shutil.copytree(info, packages / info.name)


def _compile(host: Host, package: Path) -> None:
    """Compile pip ahead: else its first start does, in a layer where that helps nobody else."""
    inside = f"{PREFIX}/lib/python{host.python_version}/site-packages/{package.name}"
    command = [host.python, "-I", "-m", "compileall", "-q", "-j", "0", "-s", str(package), "-p", inside, str(package)]
    subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
