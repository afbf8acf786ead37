"""Real builds, each in namespaces of its own, from Dockerfiles like those that people write."""

import asyncio
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from semafor.kube.images.builder import Event
from semafor.kube.images.errors import DockerfileError, ImageError, RunError
from semafor.kube.images.library import Images

from .conftest import run

pytestmark = pytest.mark.machine


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def dockerfile(folder: Path, *lines: str) -> None:
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")


def wheel(folder: Path) -> None:
    """A package that pip can install without a network."""
    info = "greeter-1.0.dist-info"
    with zipfile.ZipFile(folder / "greeter-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("greeter.py", "def main():\n    print('hello from greeter')\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ngreet = greeter:main\n")
        archive.writestr(f"{info}/RECORD", "")


async def test_the_guides_way_to_build_a_service(images, context):
    wheel(context)
    write(context, app_dot_py="import greeter, os\ngreeter.main()\nprint(os.getcwd(), os.listdir())\n")
    write(context, requirements_dot_txt="./greeter-1.0-py3-none-any.whl\n")
    dockerfile(
        context,
        "# service-1/Dockerfile",
        "FROM python:3.9-slim",
        "WORKDIR /app",
        "# Устанавливаем зависимости",
        "COPY requirements.txt *.whl ./",
        "RUN pip install --no-cache-dir --no-index -r requirements.txt",
        "COPY app.py .",
        'CMD ["python", "app.py"]',
    )
    image = await images.build(context, tag="guide")
    code, output = await run(images, image, *image.cmd)
    assert (code, output.splitlines()[0]) == (0, "hello from greeter")
    assert output.splitlines()[1].startswith("/app [")
    assert await run(images, image, "greet") == (0, "hello from greeter")


async def test_an_unchanged_folder_is_built_in_a_moment(images, context, events):
    write(context, app_dot_py="print(1)")
    dockerfile(context, "FROM busybox", "WORKDIR /app", "COPY . .", "RUN echo made > here", "EXPOSE 80")
    first = await images.build(context, tag="twice")
    begun = time.monotonic()
    second = await images.build(context, tag="twice", progress=events.append)
    assert second == first
    assert [event.kind for event in events if event.kind in ("cached", "done")] == ["cached"] * 3
    assert time.monotonic() - begun < 1


async def test_a_changed_file_costs_the_steps_from_there_on(images, context):
    dockerfile(context, "FROM busybox", "RUN echo one", "COPY a.txt /", "RUN cat /a.txt", "RUN echo two")

    async def done() -> list[int]:
        events: list[Event] = []
        await images.build(context, tag="changed", progress=events.append)
        return [event.line for event in events if event.kind == "done"]

    write(context, a_dot_txt="1")
    assert await done() == [2, 3, 4, 5]
    (context / "a.txt").write_text("2")
    assert await done() == [3, 4, 5]
    (context / "a.txt").chmod(0o755)
    assert await done() == [3, 4, 5]
    assert await done() == []


async def test_a_failing_run_is_shown_with_its_line_output_and_code(images, context, events):
    dockerfile(context, "FROM busybox", "", "RUN echo first && \\", "    echo broken >&2 && exit 7", "RUN echo never")
    with pytest.raises(RunError) as error:
        await images.build(context, tag="broken", progress=events.append)
    assert (error.value.line, error.value.code, error.value.tail) == (3, 7, ("first", "broken"))
    assert "Dockerfile:3: RUN echo first" in str(error.value)
    assert "exit code 7" in str(error.value)
    assert images.find("broken") is None
    assert [event.text for event in events if event.kind == "output"] == ["first", "broken"]


async def test_a_missing_program_gets_a_hint(images, context):
    dockerfile(context, "FROM alpine", "RUN no-such-program")
    with pytest.raises(RunError, match="images here have this machine's own programs"):
        await images.build(context, tag="hint")


async def test_packages_that_the_machine_has_need_no_installing(images, context):
    dockerfile(
        context,
        "FROM python:3.11-slim",
        "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates bash=5.* && apt-get clean",
        "FROM alpine",
        "RUN apk add --no-cache -t .build-deps bash",
    )
    await images.build(context, tag="apt")
    dockerfile(context, "FROM debian", "RUN apt-get install -y bash no-such-package")
    with pytest.raises(RunError) as error:
        await images.build(context, tag="apt")
    assert error.value.code == 100
    assert error.value.tail[0] == "apt-get: not on this machine: no-such-package"


async def test_arguments_and_variables(images, context):
    dockerfile(
        context,
        "ARG BASE=busybox",
        "FROM ${BASE} AS base",
        "ARG VERSION=1.0 NAME",
        "ARG BASE",
        'ENV GREETING="hello $NAME" PATH_OF=/opt/${VERSION} LATE=$GREETING',
        "ENV old form with spaces",
        "WORKDIR $PATH_OF",
        "WORKDIR below",
        'RUN echo "$GREETING|$VERSION|$BASE|$(pwd)|$old" > /result',
        "EXPOSE 80/tcp 8000-8002",
        "LABEL a=b c='d e'",
        "USER app",
        "VOLUME /data",
        "STOPSIGNAL SIGINT",
        "HEALTHCHECK --interval=5s CMD true",
        'SHELL ["/bin/bash", "-c"]',
        "ENTRYPOINT run $HOME",
        "CMD one two",
    )
    image = await images.build(context, tag="args", args={"NAME": "world", "VERSION": "2.0"})
    assert await run(images, image, "cat", "/result") == (0, "hello world|2.0|busybox|/opt/2.0/below|form with spaces")
    config = image.config
    assert dict(config.env)["PATH_OF"] == "/opt/2.0"
    assert dict(config.env)["LATE"] == ""
    assert (config.exposed, config.labels, config.user) == ((80, 8000, 8001, 8002), (("a", "b"), ("c", "d e")), "app")
    assert (config.workdir, config.volumes, config.stop_signal) == ("/opt/2.0/below", ("/data",), "SIGINT")
    assert config.entrypoint == ("/bin/bash", "-c", "run $HOME")
    assert config.cmd == ("/bin/bash", "-c", "one two")


async def test_stages_copy_from_each_other_and_unused_ones_are_not_built(images, context, events):
    write(context, src__a_dot_txt="a", src__deep__b_dot_txt="b")
    dockerfile(
        context,
        "FROM busybox AS build",
        "COPY src /src",
        "RUN mkdir /out && cat /src/a.txt /src/deep/b.txt > /out/ab && ln -s ab /out/link",
        "FROM busybox AS unused",
        "RUN exit 1",
        "FROM scratch",
        "COPY --from=build /out/ /result/",
        "COPY --from=0 /src/*.txt /texts/",
        "COPY --from=build /out/link /plain",
    )
    image = await images.build(context, tag="stages", progress=events.append)
    assert await run(images, image, "cat", "/result/link", "/texts/a.txt", "/plain") == (0, "abaab")
    assert await run(images, image, "ls", "/") == (0, (await run(images, image, "ls", "/"))[1])
    assert (await run(images, image, "test", "-e", "/src"))[0] == 1
    assert [event.line for event in events if event.kind == "step" and "FROM" in event.text] == [1, 6]


async def test_a_stage_of_python_hands_on_what_it_installed(images, context):
    wheel(context)
    dockerfile(
        context,
        "FROM python:3.9 AS build",
        "COPY *.whl /",
        "RUN pip install --no-index /greeter-1.0-py3-none-any.whl",
        "FROM python:3.9-slim",
        "COPY --from=build /usr/local/lib/python3.9/site-packages /usr/local/lib/python3.9/site-packages",
        "COPY --from=build /usr/local/bin /usr/local/bin",
        'CMD ["greet"]',
    )
    image = await images.build(context, tag="handed-on")
    assert await run(images, image, *image.cmd) == (0, "hello from greeter")


async def test_a_built_image_is_a_base_for_others(images, context):
    dockerfile(context, "FROM busybox", "ENV A=1", 'ENTRYPOINT ["echo"]', 'CMD ["x"]')
    await images.build(context, tag="team/base:1")
    dockerfile(context, "FROM team/base:1", "RUN echo $A > /a")
    image = await images.build(context, tag="child")
    assert (image.entrypoint, image.cmd) == (("echo",), ("x",))
    assert await run(images, image, "cat", "/a") == (0, "1")


async def test_copy_follows_dockers_rules(images, context):
    write(context, a_dot_txt="a", b_dot_txt="b", folder__c_dot_txt="c", _dot_dockerignore="")
    (context / ".dockerignore").write_text("b.txt\n")
    dockerfile(
        context,
        "FROM busybox",
        "WORKDIR /w",
        "COPY a.txt renamed",
        "COPY a.txt into/",
        "RUN mkdir there",
        "COPY a.txt there",
        "COPY --chown=1000:1000 --chmod=700 folder copied",
        "COPY . all/",
        'COPY ["a.txt", "folder/c.txt", "two files/"]',
        "COPY <<EOF /w/document",
        "home is $HOSTNAME.",
        "EOF",
        "RUN cd /w && find . -type f | sort && stat -c %a copied/c.txt && cat document",
    )
    events: list[Event] = []
    await images.build(context, tag="copies", progress=events.append)
    assert [event.text for event in events if event.kind == "output"] == [
        "./all/.dockerignore",
        "./all/Dockerfile",
        "./all/a.txt",
        "./all/folder/c.txt",
        "./copied/c.txt",
        "./document",
        "./into/a.txt",
        "./renamed",
        "./there/a.txt",
        "./two files/a.txt",
        "./two files/c.txt",
        "700",
        "home is .",
    ]


async def test_add_unpacks_archives(images, context, tmp_path):
    import tarfile

    write(tmp_path, inside_dot_txt="inside")
    with tarfile.open(context / "files.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "inside.txt", "deep/inside.txt")
    dockerfile(context, "FROM busybox", "ADD files.tar.gz /data/", "COPY files.tar.gz /data/")
    image = await images.build(context, tag="add")
    assert await run(images, image, "sh", "-c", "cat /data/deep/inside.txt; ls /data") == (
        0,
        "insidedeep\nfiles.tar.gz",
    )


async def test_heredocs_are_scripts(images, context):
    dockerfile(
        context,
        "FROM busybox",
        "RUN <<EOF",
        "set -e",
        "echo one > /a",
        "echo two >> /a",
        "EOF",
        "RUN cat <<X >/b",
        "$((1+1))",
        "X",
    )
    image = await images.build(context, tag="heredoc")
    assert await run(images, image, "cat", "/a", "/b") == (0, "one\ntwo\n2")


async def test_deletions_of_files_and_folders_stay_deleted(images, context):
    dockerfile(
        context,
        "FROM busybox",
        "RUN mkdir /d && touch /d/a /d/b /usr/local/bin/mine && rm /etc/services",
        "RUN rm -r /d /usr/local/bin/mine && mkdir /d && touch /d/c",
        "RUN ls /d && ls /usr/local/bin/mine /etc/services; true",
    )
    events: list[Event] = []
    await images.build(context, tag="deleted", progress=events.append)
    output = [event.text for event in events if event.kind == "output"]
    assert output[0] == "c"
    assert all("No such file" in line for line in output[1:])
    assert len(output) == 3


async def test_a_run_sees_nothing_of_the_machine_but_its_programs(images, context, tmp_path):
    (tmp_path / "secret").write_text("secret")
    dockerfile(
        context,
        "FROM busybox",
        f"RUN ! cat {tmp_path}/secret && ! cat /etc/shadow && ! kill -0 {os.getpid()} && ! mount -t tmpfs x /mnt",
        "RUN ls -A /home /srv /media /mnt /var/log; ls /dev; echo $$",
    )
    events: list[Event] = []
    await images.build(context, tag="isolated", progress=events.append)
    output = [event.text for event in events if event.kind == "output" and event.line == 3]
    assert [line for line in output if line and not line.endswith(":")] == [
        *("fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"),
        "2",
    ]


async def test_settings_of_the_machine_reach_pip_and_are_not_kept(shared_home, context, tmp_path):
    certificates = tmp_path / "certificates.pem"
    certificates.write_text("certificates")
    config = tmp_path / "home/.config/pip/pip.conf"
    config.parent.mkdir(parents=True)
    config.write_text(f"[global]\ncert = {certificates}\n")
    images = Images(shared_home, {"PIP_INDEX_URL": "http://index", "SECRET": "1", "HOME": str(tmp_path / "home")})
    dockerfile(
        context,
        "FROM python",
        f"RUN cat {certificates} > /seen; echo $PIP_INDEX_URL$SECRET >> /seen; pip config list >> /seen",
    )
    image = await images.build(context, tag="settings")
    assert (await run(images, image, "cat", "/seen"))[1].splitlines() == [
        "certificateshttp://index",
        ":env:.cache-dir='/root/.cache/pip'",
        ":env:.index-url='http://index'",
        f"global.cert='{certificates}'",
    ]
    assert "PIP_INDEX_URL" not in dict(image.env)
    assert (await run(images, image, "ls", "/root/.config", str(certificates)))[0] != 0


async def test_what_ordinary_users_cannot_do_is_pretended(images, context):
    dockerfile(context, "FROM busybox", "RUN touch /f && chown 1234:1234 /f && chgrp 5 /f && echo ok")
    await images.build(context, tag="chown")


async def test_caches_are_shared_and_stay_out_of_the_image(images, context):
    mount = "RUN --mount=type=cache,target=/cache"
    dockerfile(context, "FROM busybox", f"{mount} echo one >> /cache/log", f"{mount} cat /cache/log > /seen")
    image = await images.build(context, tag="cache")
    assert await run(images, image, "sh", "-c", "cat /seen; ls -A /cache 2>/dev/null") == (2, "one")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["FROM busybox", "COPY ../secret /"], "Dockerfile:2: COPY ../secret is outside the folder"),
        (["FROM busybox", "COPY missing /"], "Dockerfile:2: COPY missing: no such file"),
        (["FROM busybox", "COPY link /"], "leads outside"),
        (["FROM busybox", "ADD https://example.com/x /"], "RUN curl"),
        (["FROM busybox", "COPY --from=nowhere /a /b"], "--from=nowhere: no image nowhere:latest"),
        (["FROM busybox", "COPY --from=busybox /etc/shadow /b"], "no such file"),
        (["FROM nowhere:1"], "Dockerfile:1: no image nowhere:1, and nothing is pulled from registries: build one"),
        (["FROM busybox", "RUN --mount=type=secret,id=x cat /run/secrets/x"], "only type=cache"),
        (["FROM busybox", "ENV A"], "ENV A has no value"),
        (["FROM busybox", "EXPOSE http"], "EXPOSE http is not a port"),
        (["FROM busybox", "COPY Dockerfile"], "needs a source and a destination"),
        (["RUN x", "FROM busybox"], "RUN before FROM"),
        (["FROM busybox", "ENV A=${B:?is needed}"], "B is not set: is needed"),
    ],
)
async def test_hostile_and_wrong_files_are_refused(images, context, lines, message):
    (context / "link").symlink_to("/etc/passwd")
    dockerfile(context, *lines)
    with pytest.raises(DockerfileError) as error:
        await images.build(context, tag="refused")
    assert message in str(error.value)
    assert images.find("refused") is None


async def test_links_in_an_image_lead_nowhere_outside(images, context, tmp_path):
    (tmp_path / "target").mkdir()
    write(context, a_dot_txt="a")
    dockerfile(
        context,
        "FROM busybox",
        f"RUN ln -s {tmp_path}/target /out && ln -s ../../.. /up",
        "COPY a.txt /out/",
        "COPY a.txt /up/",
    )
    image = await images.build(context, tag="links")
    assert list((tmp_path / "target").iterdir()) == []
    assert await run(images, image, "cat", f"{tmp_path}/target/a.txt", "/a.txt") == (0, "aa")


async def test_a_wrong_folder_or_name_is_an_error_for_people(images, context, tmp_path):
    with pytest.raises(ImageError, match="is not a folder"):
        await images.build(tmp_path / "nowhere", tag="x")
    with pytest.raises(ImageError, match="does not exist"):
        await images.build(context, tag="x")
    dockerfile(context, "FROM busybox")
    with pytest.raises(ImageError, match="is not the name of an image"):
        await images.build(context, tag="NOT A NAME")


async def test_a_build_that_is_stopped_leaves_nothing(fresh, context):
    dockerfile(context, "FROM busybox", "RUN sleep 1000")
    begun = asyncio.Event()
    task = asyncio.create_task(
        fresh.build(context, tag="stopped", progress=lambda e: begun.set() if e.line == 2 else None)
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((fresh._shelf.folder / "work").iterdir()) == []
    assert fresh.list() == ()


def test_a_build_that_is_killed_leaves_no_process_and_no_image(tmp_path, context):
    marker = f"1000.{os.getpid()}"
    dockerfile(context, "FROM busybox", f"RUN sleep {marker}")
    code = (
        "import asyncio, sys; from pathlib import Path; from semafor.kube.images.library import Images\n"
        "home, context = map(Path, sys.argv[1:])\n"
        "asyncio.run(Images(home).build(context, tag='killed'))"
    )
    environ = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home"), str(context)], env=environ)
    wait_until(lambda: running(marker))
    process.kill()
    process.wait()
    wait_until(lambda: not running(marker))
    images = Images(tmp_path / "home")
    assert images.find("killed") is None
    images.clean()
    assert list((tmp_path / "home/work").iterdir()) == []


def running(marker: str) -> bool:
    """Whether a process has the word in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:1] == [b"sleep"] and marker.encode() in words:
            return True
    return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_builds_at_the_same_time_make_the_same_layers(fresh, context):
    dockerfile(context, "FROM busybox", "RUN echo $$ > /a", "RUN cp /a /b")
    first, second = await asyncio.gather(fresh.build(context, tag="a"), fresh.build(context, tag="b"))
    assert first.layers == second.layers
    assert (await run(fresh, first, "cmp", "/a", "/b"))[0] == 0


@pytest.mark.e2e
async def test_the_guides_service_with_flask_from_the_registry(images, context):
    write(context, requirements_dot_txt="# service-1/requirements.txt\nflask\n")
    write(context, app_dot_py="from flask import Flask\nprint(Flask(__name__).name)\n")
    dockerfile(
        context,
        "FROM python:3.9-slim",
        "WORKDIR /app",
        "COPY requirements.txt .",
        "RUN pip install --no-cache-dir -r requirements.txt",
        "COPY . .",
        'CMD ["python", "app.py"]',
    )
    image = await images.build(context, tag="service-1")
    assert await run(images, image, *image.cmd) == (0, "app")
