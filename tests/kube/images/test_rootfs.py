from semafor.kube.images.host import Host
from semafor.kube.images.mounts import MountOp
from semafor.kube.images.rootfs import Root, committed, plan

HOST = Host(folders=("usr", "usr/local"), prefixes=(("/real/py", "/home/me/py"),), skeleton="/s")


def test_a_root_is_layers_over_the_skeleton_and_over_the_hosts_folders():
    assert plan(Root(layers=("/b", "/a"), writable="/w", binds=(("/host/envoy", "/usr/bin/envoy"),)), HOST) == (
        MountOp("overlay", "/", lowers=("/b", "/a", "/s"), upper="/w/upper/root", work="/w/work/root"),
        MountOp(
            "overlay", "/usr", lowers=("/b/usr", "/a/usr", "/s/usr", "/usr"), upper="/w/upper/usr", work="/w/work/usr"
        ),
        MountOp(
            "overlay",
            "/usr/local",
            lowers=("/b/usr/local", "/a/usr/local", "/s/usr/local", "/usr/local"),
            upper="/w/upper/usr-local",
            work="/w/work/usr-local",
        ),
        MountOp("bind", "/home/me/py", source="/real/py", read_only=True),
        MountOp("bind", "/usr/bin/envoy", source="/host/envoy", read_only=True),
    )


def test_without_a_writable_folder_the_root_is_read_only():
    assert {op.upper for op in plan(Root(), HOST)} == {""}


def test_changes_become_one_layer():
    assert committed("/w", HOST) == (
        ("/w/upper/usr", "/w/upper/root/usr"),
        ("/w/upper/usr-local", "/w/upper/root/usr/local"),
    )
