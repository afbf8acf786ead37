import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from semafor.app.home import Home


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("SEMAFOR_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")


def test_the_home_is_the_users_state_folder_unless_the_environment_says_otherwise(monkeypatch):
    assert Home.find().path == Path("/home/ada/.local/state/semafor")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert Home.find().path == Path("/state/semafor")
    monkeypatch.setenv("SEMAFOR_HOME", "~/mesh")
    assert Home.find().path == Path("/home/ada/mesh")


def test_contexts_of_two_homes_have_different_names():
    assert Home.find().context == "semafor"
    assert len({Home(Path(path)).context for path in ("/a", "/b", "/home/ada/.local/state/semafor")}) == 3


def test_sockets_of_a_home_with_a_long_path_are_in_a_short_one(tmp_path):
    deep = Home(tmp_path / ("x" * 100))
    assert Home(Path("/a")).sockets == Path("/a/run")
    assert len(str(deep.sockets)) < 80


def test_a_home_is_readable_by_its_owner_alone(tmp_path):
    home = Home(tmp_path / "home")
    home.create()
    assert {stat.S_IMODE(each.stat().st_mode) for each in (home.path, home.ca, home.sockets)} == {0o700}


def test_one_daemon_holds_a_home_and_others_learn_its_process(tmp_path):
    home = Home(tmp_path)
    assert home.running_pid() is None
    with home.held():
        assert home.running_pid() == os.getpid()
        with pytest.raises(BlockingIOError), Home(tmp_path).held():
            pass
    assert home.running_pid() is None


def test_what_the_daemon_told_counts_while_it_runs(tmp_path):
    home = Home(tmp_path)
    report = {"pid": os.getpid(), "server": "https://127.0.0.1:6443"}
    home.tell(report)
    assert home.report() is None
    with home.held():
        assert home.report() == report
        home.tell({"pid": 1})  # of a daemon that was killed before
        assert home.report() is None
        for damaged in ("", "{", "[]", "null", '{"pid": "x"}'):
            home.state.write_text(damaged)
            with pytest.raises(ValueError, match="is not what the daemon wrote"):
                home.report()
        home.state.unlink()
        assert home.report() is None


def test_who_asks_about_a_home_is_in_nobodys_way(tmp_path):
    home = Home(tmp_path)
    home.lock.write_text("17")
    with home.lock.open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert home.running_pid() is None
        threading.Timer(0.1, asking.close).start()
        with home.held():
            assert home.running_pid() == os.getpid()


def test_a_home_below_a_file_holds_no_mesh(tmp_path):
    (tmp_path / "file").touch()
    assert Home(tmp_path / "file" / "home").running_pid() is None


def test_nothing_that_a_home_makes_is_unknown_to_it(tmp_path):
    home = Home(tmp_path)
    home.create()
    assert {each.name for each in tmp_path.iterdir()} <= home.known_entries()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "home" / "ca").mkdir(parents=True)
    os.chown(tmp_path / "home" / "ca", 54321, 54321)
    with pytest.raises(PermissionError, match="belongs to another user"):
        Home(tmp_path / "home").create()
