"""What the page is built from is named completely, and by no registry."""

import json
from pathlib import Path

LOCK = json.loads((Path(__file__).parents[2] / "ui" / "package-lock.json").read_text())["packages"]


def test_every_package_is_pinned_by_its_digest():
    assert [name for name, entry in LOCK.items() if name and "integrity" not in entry] == []


def test_no_package_says_which_registry_it_is_from():
    assert [name for name, entry in LOCK.items() if "resolved" in entry] == []


def test_packages_for_every_platform_are_named():
    """Else `npm ci` refuses the file: a registry that lacked one when the file was made leaves no trace of it."""
    optional = {dependency for entry in LOCK.values() for dependency in entry.get("optionalDependencies", {})}
    assert [name for name in sorted(optional) if f"node_modules/{name}" not in LOCK] == []
