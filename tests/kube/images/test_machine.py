from pathlib import Path

from semafor.kube.images.machine import look


def test_only_settings_of_registries_are_taken(tmp_path):
    environ = {
        "PIP_INDEX_URL": "https://index",
        "HTTPS_PROXY": "http://proxy:3128",
        "no_proxy": "localhost",
        "npm_config_registry": "https://npm",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PATH": "/bin",
        "PIP_USER": "1",
        "PIP_CACHE_DIR": "/cache",
        "HOME": str(tmp_path),
    }
    assert {name for name, _ in look(environ).env} == {
        "PIP_INDEX_URL",
        "HTTPS_PROXY",
        "no_proxy",
        "npm_config_registry",
    }


def test_files_that_settings_name_are_shown_but_never_the_home(tmp_path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (tmp_path / "ca.pem").touch()
    (tmp_path / ".npmrc").write_text(f"cafile={tmp_path}/ca.pem\nprefix={tmp_path}\n")
    found = dict(look({"HOME": str(tmp_path), "PIP_FIND_LINKS": f"{wheels} https://host/path"}).binds)
    own = {source: inside for source, inside in found.items() if Path(source).is_relative_to(tmp_path)}
    assert own == {
        str(wheels): str(wheels),
        str(tmp_path / "ca.pem"): str(tmp_path / "ca.pem"),
        str(tmp_path / ".npmrc"): "/root/.npmrc",
    }
