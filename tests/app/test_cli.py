"""The command line's own manners: exit codes, words for what was mistyped, what `run` shows to a command."""

import sys
from pathlib import Path

import pytest

from semafor.app import cli
from semafor.app.cli import dashboard, run


@pytest.fixture
def called(monkeypatch, tmp_path):
    """Call the command line with an empty home; returns its exit code."""
    monkeypatch.setenv("SEMAFOR_HOME", str(tmp_path / "home"))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["semafor", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code

    return call


def test_status_ends_with_1_when_no_mesh_runs(called):
    assert called("status", "-o", "json") == 1


def test_a_mistyped_command_gets_a_suggestion(called, capsys):
    assert called("statsu") == 2
    assert "no such command: statsu. Did you mean status?" in capsys.readouterr().err


def test_a_home_that_cannot_be_used_is_one_line(called, monkeypatch, tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SEMAFOR_HOME", str(file))
    assert called("build", "-t", "a", str(tmp_path)) == 1
    assert capsys.readouterr().err.splitlines() == [f"error: File exists: {file}"]


def test_run_shows_the_folder_of_a_program_that_is_not_the_systems(tmp_path):
    program = tmp_path / "tools" / "bin" / "tool"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    assert set(run._program_folders("tool", {"PATH": str(program.parent)})) == {str(tmp_path / "tools")}


def test_run_shows_a_bin_folder_of_the_home_without_the_home(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert set(run._program_folders("tool", {"PATH": str(program.parent)})) == {str(program.parent)}


def test_every_view_is_one_that_the_page_has():
    routes = Path(__file__).parents[2].joinpath("ui", "src", "App.tsx").read_text()
    assert [path for path in dashboard.VIEWS.values() if f'path="{path}"' not in routes] == []
