import pytest

from semafor.kube.images.errors import ImageError
from semafor.kube.images.reference import parse


@pytest.mark.parametrize(
    ("text", "full", "name"),
    [
        ("service-1", "docker.io/library/service-1:latest", "service-1"),
        ("service-1:v2", "docker.io/library/service-1:v2", "service-1"),
        ("docker.io/library/python:3.9-slim", "docker.io/library/python:3.9-slim", "python"),
        ("index.docker.io/python", "docker.io/library/python:latest", "python"),
        ("curlimages/curl", "docker.io/curlimages/curl:latest", "curlimages/curl"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b"),
        ("registry.k8s.io/pause:3.9@sha256:ab", "registry.k8s.io/pause:3.9", "registry.k8s.io/pause"),
    ],
)
def test_every_way_to_write_a_name_means_the_same(text, full, name):
    assert (str(parse(text)), parse(text).name) == (full, name)


@pytest.mark.parametrize("text", ["", "UPPER", "a b", "../x", "x:", "a/../b", "-x", "a:b:c", "x/"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ImageError):
        parse(text)
