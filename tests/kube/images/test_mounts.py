"""The executor in real namespaces, through the process that builds use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from semafor.kube.images import machine, mounts, rootfs, skeleton
from semafor.kube.images.host import Host
from semafor.kube.images.steps import Step, Steps


def test_a_path_stays_in_the_new_root_whatever_its_links_say(tmp_path):
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "absolute").symlink_to("/real")
    (root / "upwards").symlink_to("../../../real")
    (root / "through").symlink_to("absolute")
    for name in ("absolute", "upwards", "through"):
        assert mounts.place(str(root), f"/{name}/new", folder=True) == f"{root}/real/new"
    assert mounts.place(str(root), "/../../etc/x", folder=False) == f"{root}/etc/x"
    assert (root / "etc/x").is_file()


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(mounts.MountError, match="too many links"):
        mounts.place(str(tmp_path), "/a/x", folder=True)


def test_a_mount_that_is_refused_is_named(tmp_path):
    with pytest.raises(mounts.MountError, match=r"mount overlay overlay on .*needs Linux 5\.11 and a home folder"):
        mounts.mount("overlay", str(tmp_path), "overlay", 0, "lowerdir=/does/not/exist")


async def shell(images, host: Host, script: str, *layers: Path) -> tuple[int, str]:
    lines: list[str] = []
    steps = Steps(images._shelf, host, machine.Machine())
    command = {"argv": ("/bin/sh", "-c", script), "env": {"PATH": host.search_path}, "cwd": "/"}
    step = Step(layers=tuple(map(str, layers)), run=command)
    _, code = await steps.carry_out(f"test-{os.urandom(6).hex()}", step, lines.append)
    return code, "\n".join(lines)


async def test_a_machine_whose_bin_is_a_folder_of_its_own_works_as_well(images, tmp_path):
    names = ("usr", *(name for name, _ in images.host.links))
    split = msgspec.structs.replace(images.host, folders=names, links=())
    split = msgspec.structs.replace(split, skeleton=str(tmp_path / "skeleton"))
    (tmp_path / "skeleton").mkdir()
    skeleton.make(split, tmp_path / "skeleton")
    (tmp_path / "layer/bin").mkdir(parents=True)
    (tmp_path / "layer/bin/ours").write_text("#!/bin/sh\necho ours\n")
    (tmp_path / "layer/bin/ours").chmod(0o755)
    assert await shell(images, split, "test ! -L /bin && ours && touch /bin/new", tmp_path / "layer") == (0, "ours")
    assert not os.access("/bin/new", os.F_OK)


async def test_a_file_system_below_usr_is_seen(images):
    nested = msgspec.structs.replace(images.host, folders=("usr", "usr/share"))
    assert (await shell(images, nested, "test -d /usr/share/zoneinfo && touch /usr/share/new /usr/new"))[0] == 0


async def test_many_layers_fit(images, tmp_path):
    layers = [tmp_path / f"{number:020d}" for number in range(100)]
    for number, layer in enumerate(layers):
        (layer / "usr/local").mkdir(parents=True)
        (layer / f"usr/local/{number}").touch()
    assert await shell(images, images.host, "ls /usr/local/0 /usr/local/99", *layers) == (
        0,
        "/usr/local/0\n/usr/local/99",
    )


async def test_strange_names_of_folders_are_no_options(images, tmp_path):
    layer = tmp_path / "a:b,c\\d"
    layer.mkdir()
    (layer / "file").touch()
    assert await shell(images, images.host, "ls /file", layer) == (0, "/file")


def test_a_sealed_root_keeps_its_mount_points_and_takes_nothing_more(images, tmp_path):
    root = rootfs.Root(writable=str(tmp_path / "writable"), read_only=True)
    code = (
        "import json, os, sys\n"
        "from semafor.kube.images import mounts, worker\n"
        "ops, root = json.loads(sys.argv[1]), sys.argv[2]\n"
        "worker._enter(network=True)\n"
        "mounts.execute(ops, root)\n"
        "mounts.execute([mounts.MountOp('tmpfs', '/data/volume')], root)\n"
        "mounts.seal(ops, root)\n"
        "os.chroot(root)\n"
        "os.system('touch /data/volume/a && ls /data/volume; touch /b || touch /usr/b || echo refused')"
    )
    (tmp_path / "root").mkdir()
    plan = json.dumps(rootfs.plan(root, images.host))
    command = [sys.executable, "-c", code, plan, str(tmp_path / "root")]
    environ = {**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "a\nrefused\n"
