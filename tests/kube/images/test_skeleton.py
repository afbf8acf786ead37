import os
import stat

from semafor.kube.images import skeleton
from semafor.kube.images.host import Host


def test_nothing_private_of_the_machine_is_copied(tmp_path):
    host = Host.detect(search_path=os.environ["PATH"])
    skeleton.make(host, tmp_path)
    assert not (tmp_path / "etc/shadow").exists()
    assert not (tmp_path / "etc/ssl/private").exists()
    assert "root:x:0:0" in (tmp_path / "etc/passwd").read_text()
    assert list((tmp_path / "home").iterdir()) == []
    assert stat.S_IMODE((tmp_path / "tmp").stat().st_mode) == 0o1777
    files = [path for path in (tmp_path / "usr").rglob("*") if not path.is_dir()]
    assert files == []


def test_private_files_are_left_out_of_a_copy(tmp_path):
    source = tmp_path / "ssl"
    (source / "private").mkdir(parents=True)
    (source / "private").chmod(0o710)
    (source / "key.pem").touch()
    (source / "key.pem").chmod(0o640)
    (source / "cert.pem").touch()
    (source / "cert.pem").chmod(0o644)
    (source / "link").symlink_to("/usr/share/x")
    source.chmod(0o755)
    skeleton._copy_public(source, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["cert.pem", "link"]


def test_the_name_follows_the_machine():
    one = Host(folders=("usr",))
    assert skeleton.fingerprint(one) == skeleton.fingerprint(Host(folders=("usr",)))
    assert skeleton.fingerprint(one) != skeleton.fingerprint(Host(folders=("usr", "bin")))
