"""Volumes: their files, their atomic change, and a container's mounts of them."""

import base64
from pathlib import Path
from typing import Any

import pytest

from semafor.kube.node import root, volumes
from semafor.kube.node.environment import Surroundings
from semafor.kube.node.payload import File, VolumeError, files
from semafor.kube.node.spec import Mount

Json = dict[str, Any]

POD: Json = {"metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web"}}, "spec": {}}
OBJECTS: dict[str, Json] = {
    "cfg": {"data": {"a": "1", "b": "2"}, "binaryData": {"c": base64.b64encode(b"\xff").decode()}},
    "key": {"data": {"token": base64.b64encode(b"abc").decode()}},
}
AROUND = Surroundings(config_map=OBJECTS.get, secret=OBJECTS.get)

VOLUMES: list[tuple[Json, dict[str, File]]] = [
    ({"configMap": {"name": "cfg"}}, {"a": File(data=b"1"), "b": File(data=b"2"), "c": File(data=b"\xff")}),
    (
        {"configMap": {"name": "cfg", "items": [{"key": "a", "path": "x/y", "mode": 0o600}]}},
        {"x/y": File(data=b"1", mode=0o600)},
    ),
    ({"configMap": {"name": "none", "optional": True}}, {}),
    ({"secret": {"secretName": "key", "defaultMode": 0o400}}, {"token": File(data=b"abc", mode=0o400)}),
    (
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"labels": File(data=b'app="web"')},
    ),
    (
        {
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "token", "audience": "x", "expirationSeconds": 600}},
                    {"configMap": {"name": "cfg", "items": [{"key": "a", "path": "ca.crt"}]}},
                    {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
                ]
            }
        },
        {"token": File(data=b"x for 600 s"), "ca.crt": File(data=b"1"), "name": File(data=b"web")},
    ),
]


def token(audience: str, lifetime_s: int) -> str:
    return f"{audience} for {lifetime_s} s"


@pytest.mark.parametrize(("volume", "expected"), VOLUMES, ids=[next(iter(volume)) for volume, _ in VOLUMES])
def test_files(volume: Json, expected: dict[str, File]) -> None:
    assert files({"name": "v", **volume}, POD, AROUND, token) == expected


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        (
            {"configMap": {"name": "cfg", "items": [{"key": "zz", "path": "p"}]}},
            "references non-existent config key: zz",
        ),
    ],
)
def test_what_is_missing_is_named(volume: Json, message: str) -> None:
    with pytest.raises(VolumeError, match=message):
        files({"name": "v", **volume}, POD, AROUND, token)


def read(folder: Path) -> dict[str, str]:
    shown = [entry for entry in folder.iterdir() if not entry.name.startswith("..")]
    found = [path for entry in shown for path in (entry.rglob("*") if entry.is_dir() else [entry]) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def test_a_change_is_one_swap_of_a_link(tmp_path: Path) -> None:
    volumes.swap(tmp_path, {"a": File(data=b"1"), "d/e": File(data=b"2")})
    before = (read(tmp_path), (tmp_path / "..data").readlink())
    held = (tmp_path / "a").open()
    volumes.swap(tmp_path, {"a": File(data=b"3")})
    assert before[0] == {"a": "1", "d/e": "2"}
    assert (read(tmp_path), held.read()) == ({"a": "3"}, "1")
    assert (tmp_path / "..data").readlink() != before[1]
    held.close()


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    for _ in range(2):
        volumes.swap(tmp_path, {"a": File(data=b"1")})
    assert len([entry for entry in tmp_path.iterdir() if entry.name.startswith("..") and entry.is_dir()]) == 2


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ""])
def test_a_path_must_stay_in_its_volume(tmp_path: Path, path: str) -> None:
    with pytest.raises(VolumeError, match="must stay inside"):
        volumes.swap(tmp_path, {path: File(data=b"")})


def test_mounts_with_parts_of_a_volume(tmp_path: Path) -> None:
    volumes.swap(tmp_path, {"app.conf": File(data=b"x")})
    container = {
        "volumeMounts": [
            {"name": "v", "mountPath": "/etc/app", "readOnly": True},
            {"name": "v", "mountPath": "/etc/app.conf", "subPath": "app.conf"},
            {"name": "v", "mountPath": "/logs", "subPathExpr": "$(POD)"},
        ]
    }
    real = (tmp_path / "app.conf").resolve()
    assert volumes.mounts(container, {"v": str(tmp_path)}, {"POD": "web"}) == [
        Mount(source=str(tmp_path), target="/etc/app", read_only=True),
        Mount(source=str(real), target="/etc/app.conf", settled=True),
        Mount(source=str(tmp_path / "web"), target="/logs", settled=True),
    ]


def test_a_part_may_not_lead_out_of_its_volume(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "out").symlink_to("/etc")
    mount = {"name": "v", "mountPath": "/x", "subPath": "out"}
    with pytest.raises(VolumeError, match="leaves its volume"):
        volumes.mounts({"volumeMounts": [mount]}, {"v": str(tmp_path / "v")}, {})


def test_a_part_that_became_a_link_since_is_not_mounted(tmp_path: Path) -> None:
    (tmp_path / "v" / "part").mkdir(parents=True)
    mount = {"name": "v", "mountPath": "/x", "subPath": "part"}
    (found,) = volumes.mounts({"volumeMounts": [mount]}, {"v": str(tmp_path / "v")}, {})
    assert Path(root.held(found.source)).samefile(found.source)
    (tmp_path / "v" / "part").rmdir()
    (tmp_path / "v" / "part").symlink_to("/etc")
    with pytest.raises(OSError, match="without links"):
        root.held(found.source)


def test_volumes_that_show_objects_are_read_only_for_their_containers(tmp_path: Path) -> None:
    pod = {"spec": {"volumes": [{"name": "a", "configMap": {"name": "a"}}, {"name": "b", "emptyDir": {}}]}}
    container = {"volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in ("a", "b")]}
    found = volumes.mounts(container, {"a": "/a", "b": "/b"}, {}, volumes.sealed(pod))
    assert [mount.read_only for mount in found] == [True, False]


@pytest.mark.parametrize("target", ["{}/..precious", "../..precious", "..", "."])
def test_a_link_that_a_container_has_put_in_a_volume_deletes_nothing_elsewhere(tmp_path: Path, target: str) -> None:
    (tmp_path / "..precious").mkdir()
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "..data").symlink_to(target.format(tmp_path))
    volumes.swap(tmp_path / "v", {"a": File(data=b"new")})
    assert (tmp_path / "..precious").is_dir()
    assert (tmp_path / "v" / "a").read_bytes() == b"new"


def test_a_host_path_is_checked_as_its_type_says(tmp_path: Path) -> None:
    made = volumes.host_path({"path": str(tmp_path / "new"), "type": "DirectoryOrCreate"})
    assert Path(made).is_dir()
    with pytest.raises(VolumeError, match=r"hostPath type check failed: .* is not a file"):
        volumes.host_path({"path": made, "type": "File"})
