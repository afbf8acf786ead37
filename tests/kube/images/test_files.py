import os
from pathlib import Path

import pytest

from semafor.kube.images import ignore
from semafor.kube.images.files import Folder, Item, RefusedError, copy, select


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in/src/deep").mkdir(parents=True)
    for name in ("app.py", "data.json", "src/a.py", "src/deep/b.py", "src/c.log"):
        (tmp_path / "in" / name).write_text(name)
        (tmp_path / "in" / name).chmod(0o644)
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "in/src").chmod(0o755)
    (tmp_path / "in/src/deep").chmod(0o755)
    return tmp_path / "in"


def chosen(folder: Path, pattern: str, text: str = "") -> list[tuple[str, str]]:
    table = Folder(str(folder), strict=True, rules=ignore.rules(text))
    return [(item.source, item.target) for item in select(table, pattern)]


def test_a_file_is_chosen_by_its_name(folder):
    assert chosen(folder, "./app.py") == [("app.py", "app.py")]


def test_a_folder_means_what_it_holds(folder):
    assert chosen(folder, "src") == [
        ("src/a.py", "a.py"),
        ("src/c.log", "c.log"),
        ("src/deep", "deep"),
        ("src/deep/b.py", "deep/b.py"),
    ]


def test_a_pattern_stays_in_its_folder(folder):
    assert chosen(folder, "*.py") == [("app.py", "app.py")]
    assert chosen(folder, "src/*.log") == [("src/c.log", "c.log")]


def test_what_is_ignored_is_left_out(folder):
    assert chosen(folder, ".", "src\n*.json\n!src/deep/b.py") == [
        ("app.py", "app.py"),
        ("src/deep/b.py", "src/deep/b.py"),
    ]


@pytest.mark.parametrize(
    "pattern", ["../outside", "src/../../outside", "/../outside", "missing", "*.rs", "src/missing"]
)
def test_nothing_outside_or_missing_is_chosen(folder, pattern):
    with pytest.raises(RefusedError):
        chosen(folder, pattern)


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd", "src/../../outside", "self"])
def test_a_link_that_leads_outside_is_refused(folder, target):
    (folder / "self").symlink_to(target)
    with pytest.raises(RefusedError):
        chosen(folder, "self")


def test_a_folder_that_is_a_link_outside_is_refused(folder):
    (folder / "up").symlink_to("..")
    with pytest.raises(RefusedError):
        chosen(folder, "up/outside")


def test_links_inside_are_followed_when_named_and_kept_when_found(folder):
    (folder / "src/link").symlink_to("a.py")
    (folder / "src/dangling").symlink_to("/etc/passwd")
    assert chosen(folder, "src/link") == [("src/a.py", "link")]
    assert ("src/dangling", "dangling") in chosen(folder, "src")


def test_copies_keep_permissions_times_and_links(folder, tmp_path):
    (folder / "src/link").symlink_to("a.py")
    (folder / "app.py").chmod(0o755)
    os.utime(folder / "app.py", ns=(1, 10**18))
    table = Folder(str(folder), strict=True)
    copy(os.open(folder, os.O_RDONLY), [*select(table, "."), *select(table, "app.py")], str(tmp_path / "out"), None)
    assert (tmp_path / "out/src/link").readlink() == Path("a.py")
    assert (tmp_path / "out/app.py").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/app.py").stat().st_mtime_ns == 10**18


def test_a_file_does_not_replace_a_folder(folder, tmp_path):
    (tmp_path / "out/app.py").mkdir(parents=True)
    with pytest.raises(RefusedError):
        copy(os.open(folder, os.O_RDONLY), [Item("app.py", "app.py", "file", 0o644)], str(tmp_path / "out"), None)
