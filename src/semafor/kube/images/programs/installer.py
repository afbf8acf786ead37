"""apt-get, apk, dnf and the like in an image that has the machine's own programs: nothing is installed.

Called as `installer NAME ARGUMENTS...`. Packages that the machine has are fine; a missing one ends with exit code 100
and says what to do on the machine. A package counts as there when the machine's package list has it (a build shows
dpkg's; rpm's lies in /usr), or when there is a program of its name.
"""

# A program of its own: it prints.
# ruff: noqa: T201

import re
import shutil
import subprocess
import sys

STATUS = "/var/lib/dpkg/status"
INSTALLING = ("install", "add", "reinstall", "-S", "-Sy", "-Syu")
# Options that take the next word as their value.
VALUED = (
    "-t",
    "--virtual",
    "-o",
    "-c",
    "--option",
    "--target-release",
    "--repository",
    "-X",
    "--setopt",
    "--enablerepo",
)
# Packages that are named for what they bring, and the program that shows it.
PROGRAMS = {
    "build-essential": "cc",
    "build-base": "cc",
    "musl-dev": "cc",
    "libc6-dev": "cc",
    "libc-dev": "cc",
    "gcc-c++": "c++",
    "ca-certificates": "sh",  # the skeleton has the machine's
    "tzdata": "sh",
    "locales": "sh",
    "apt-transport-https": "sh",
    "coreutils": "ls",
    "procps": "ps",
    "procps-ng": "ps",
    "iproute2": "ip",
    "iputils-ping": "ping",
    "iputils": "ping",
    "dnsutils": "dig",
    "bind-tools": "dig",
    "netcat-openbsd": "nc",
    "netcat-traditional": "nc",
    "net-tools": "ifconfig",
    "openssh-client": "ssh",
    "xz-utils": "xz",
    "gnupg": "gpg",
    "python3": "python3",
    "py3-pip": "pip3",
    "python3-pip": "pip3",
    "nodejs": "node",
}


def main(name: str, arguments: list[str]) -> int:
    """Answer one call; the exit code."""
    words = positional(arguments)
    if not words or words[0] not in INSTALLING:
        print(f"{name}: nothing to do, this image has the machine's own programs")
        return 0
    known = installed()
    missing = [package for package in words[1:] if not present(package, known)]
    if not missing:
        print(f"{name}: already on this machine: {' '.join(words[1:])}")
        return 0
    print(
        f"{name}: not on this machine: {' '.join(missing)}\n"
        "Images here have the machine's own programs, so install these on the machine itself and build again.",
        file=sys.stderr,
    )
    return 100


def positional(arguments: list[str]) -> list[str]:
    """The words that are no options; pacman's verb looks like one."""
    words = []
    rest = iter(arguments)
    for word in rest:
        if word in VALUED:
            next(rest, None)
        elif not word.startswith("-") or word in INSTALLING:
            words.append(word)
    return words


def installed() -> frozenset[str]:
    """The packages in dpkg's list; empty where there is none."""
    try:
        with open(STATUS, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            text = stream.read()
    except OSError:
        return frozenset()
    found = set()
    for entry in text.split("\n\n"):
        if "\nStatus: install ok installed" in entry:
            found.add(entry.partition("\n")[0].removeprefix("Package: "))
            provided = re.search(r"^Provides: (.*)$", entry, re.MULTILINE)
            names = provided[1].split(",") if provided else []
            found.update(name.split()[0].partition(":")[0] for name in names)
    return frozenset(found)


def present(package: str, known: frozenset[str]) -> bool:
    name = re.split(r"[=<>~:/]", package)[0]
    if name in known or shutil.which(name) or shutil.which(PROGRAMS.get(name, "")):
        return True
    rpm = shutil.which("rpm")
    return rpm is not None and subprocess.run([rpm, "-q", name], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
