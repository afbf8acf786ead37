"""The images' Dockerfiles, read by the parser of `semafor build`; nobody builds them here."""

from pathlib import Path

import pytest

from semafor.kube.images import dockerfile

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["pilot", "proxyv2"])
def test_it_is_a_dockerfile_of_an_unprivileged_user(name):
    read = dockerfile.parse((ROOT / "images" / name / "Dockerfile").read_text())
    users = [each for each in read if each.keyword == "USER"]
    assert [each.text for each in users] == ["1337:1337"]


def test_what_they_copy_of_the_tree_is_there():
    assert (ROOT / "images/proxyv2/pilot-agent").stat().st_mode & 0o111
