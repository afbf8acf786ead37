import os
from pathlib import Path

import msgspec
import pytest

from semafor.kube.images import catalogue
from semafor.kube.images.host import Host
from semafor.kube.images.library import Images
from semafor.kube.images.reference import parse

from .conftest import run

pytestmark = pytest.mark.machine

BARE = Host(folders=("usr",), python="/usr/bin/python3", python_version="3.11")


@pytest.mark.parametrize(
    "ref",
    [
        "curlimages/curl",
        "busybox:1.36",
        "registry.k8s.io/busybox:1.27.2",
        "alpine",
        "docker.io/jaegertracing/jaeger:2.17.0",
        "docker.io/istio/examples-helloworld-v1:1.0",
        "registry.istio.io/release/examples-helloworld-v2:1.0",
        "docker.io/istio/examples-bookinfo-productpage-v1:1.20.3",
        "docker.io/istio/examples-bookinfo-reviews-v3:1.20.3",
        "docker.io/kennethreitz/httpbin",
        "docker.io/mccutchen/go-httpbin:v2.15.0",
        "registry.k8s.io/pause:3.10",
        "istio/tcp-echo-server:1.3",
        "gcr.io/istio-testing/ext-authz:latest",
        "fortio/fortio:latest_release",
    ],
)
def test_well_known_images_are_there_on_every_machine(images, ref):
    assert images.explain(ref) == ""
    image = images.find(ref)
    assert image is not None
    assert image.ref == str(parse(ref))
    assert all(Path(layer).is_dir() for layer in image.layers)


def test_the_curl_image_runs_shells_and_curl(images):
    image = images.find("curlimages/curl")
    assert image.entrypoint == ("/entrypoint.sh",)


async def test_its_entry_point_tells_options_from_commands(images):
    image = images.find("curlimages/curl")
    assert await run(images, image, *image.entrypoint, "sh", "-c", "echo $((1+1))") == (0, "2")
    code, output = await run(images, image, *image.entrypoint, "--version")
    assert (code, output.split()[0]) == (0, "curl")


async def test_a_machine_without_curl_gets_ours(shared_home):
    images = Images(shared_home, os.environ)
    images._host = msgspec.structs.replace(images.host, programs=())
    code, output = await run(images, images.find("curlimages/curl"), "curl", "--version")
    assert (code, output.splitlines()[0]) == (0, "curl 8.0.0 (semafor)")
    assert (await run(images, images.find("busybox"), "busybox", "wget", "--help"))[1].startswith("usage: wget")
    assert (await run(images, images.find("curlimages/curl"), "nc", "--help"))[1].startswith("usage: nc")


async def test_python_is_this_machines_with_a_note(images):
    image = images.find("python:2.7")
    assert image.notes == (
        f"python:2.7 is this machine's Python {images.host.python_version} here (2.7 was asked for)",
    )
    code, output = await run(images, image, "python2.7", "-c", "import sys; print(sys.prefix)")
    assert (code, output) == (0, "/opt/venv")
    assert (await run(images, image, "/usr/local/bin/pip", "--version"))[1].split()[3].startswith("/opt/venv/")
    assert images.find(f"python:{images.host.python_version}-slim").notes == ()


def test_what_the_machine_lacks_is_said():
    recipe = catalogue.find(parse("node:20"), BARE, {})
    assert recipe.missing == "node needs Node.js, which this machine does not have: install it"
    assert "nginx" in catalogue.find(parse("nginx"), BARE, {}).missing


def test_an_unknown_image_says_what_to_do(images):
    assert images.find("mystery:9") is None
    assert images.explain("mystery:9") == (
        "no image mystery:9, and nothing is pulled from registries: build one with a Dockerfile, "
        "`semafor build -t mystery:9 FOLDER`, or use one that `semafor images` lists"
    )


def test_the_sidecar_shows_the_files_it_is_given(shared_home):
    images = Images(shared_home, {}, {"/usr/local/bin/envoy": "/somewhere/envoy"})
    assert images.find("semafor/proxyv2").binds == (("/somewhere/envoy", "/usr/local/bin/envoy"),)


def test_a_built_image_goes_before_a_known_one_of_the_same_name(fresh):
    known = fresh.find("busybox")
    fresh._shelf.write(msgspec.structs.replace(known, id="sha256:mine"))
    assert fresh.find("docker.io/library/busybox:latest").id == "sha256:mine"
    assert fresh.remove("busybox")
    assert fresh.find("busybox") == known


def test_an_image_whose_interpreter_is_gone_says_so(fresh, tmp_path):
    known = fresh.find("busybox")
    made = msgspec.structs.replace(known, ref="docker.io/library/old:1", binds=((f"{tmp_path}/py", "/py"),))
    fresh._shelf.write(made)
    assert fresh.find("old:1") is None
    assert fresh.explain("old:1") == f"old:1 was built with {tmp_path}/py, which is no longer there: build it again"
