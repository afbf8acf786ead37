"""Nothing secret is in what goes to others: secrets of every kind are planted, and none is found again."""

import base64
import json
import tarfile

import pytest

from semafor.app.report import redaction
from semafor.app.report.archive import Archive
from semafor.app.report.redaction import Redaction

KEY_LINE = "MHcCAQEEIPlantedKeyMaterial0123456789abcdef"
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{KEY_LINE}\nAoGCCqGSM49\n-----END EC PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


SECRETS = [
    {"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": encoded("planted-Opaque-1")}},
    {"kind": "Secret", "metadata": {"name": "b"}, "stringData": {"any": "planted String/2&"}},
    {"kind": "Secret", "metadata": {"name": "tls"}, "type": "kubernetes.io/tls", "data": {"tls.key": encoded(PEM)}},
    {
        "kind": "Secret",
        "metadata": {"name": "docker"},
        "data": {".dockerconfigjson": encoded(json.dumps({"auths": {"r": {"password": "planted-docker-3"}}}))},
    },
]
NEEDLES = (
    "planted-Opaque-1",
    encoded("planted-Opaque-1"),
    "planted String/2&",
    "planted%20String%2F2%26",
    KEY_LINE,
    "planted-docker-3",
)
# What is no Secret's value, in all the places where people put such things.
LOOKS = {
    "a JWT": (f"authorization: Bearer {JWT}", JWT),
    "a lone JWT": (f"got {JWT} from it", "c2lnbmF0dXJlLXBsYW50ZWQ"),
    "basic": ("Authorization: Basic cGxhbnRlZDpwbGFudGVk", "cGxhbnRlZDpwbGFudGVk"),
    "an address": ("redis://default:planted-4@memory:6379/0", "planted-4"),
    "an option": ("app --api-key planted-5 --port 80", "planted-5"),
    "a setting": ("DB_PASSWORD=planted-6", "planted-6"),
    "a query": ("GET /x?access_token=planted-7&y=1", "planted-7"),
    "JSON": ('{"client_secret": "planted-8"}', "planted-8"),
    "YAML": ("apiKey: planted-9", "planted-9"),
    "AWS": ("key AKIAPLANTED000000010", "AKIAPLANTED000000010"),
    "a GitHub token": ("ghp_planted00000000000000011", "ghp_planted00000000000000011"),
    "a model's key": ("sk-ant-planted-0000000000000012", "planted-0000000000000012"),
    "a key in one line": (PEM.replace("\n", "\\n"), "PlantedKeyMaterial"),
    "a key that was cut off": (PEM[:60], "PlantedKey"),
}


@pytest.mark.parametrize(("text", "needle"), LOOKS.values(), ids=LOOKS)
def test_what_looks_like_a_secret_goes(text, needle):
    assert needle in text
    assert needle not in Redaction().text(text)


def test_the_values_of_secrets_go_wherever_they_are_and_however_they_are_written():
    found = Redaction(redaction.secrets_of(SECRETS))
    text = found.text("; ".join((*NEEDLES, json.dumps(PEM))))
    assert not [needle for needle in NEEDLES if needle in text]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda each: each["metadata"]["name"])
def test_of_secrets_the_keys_and_sizes_stay(secret):
    found = Redaction().object(secret)
    (field,) = found.keys() & {"data", "stringData"}
    assert found[field].keys() == secret[field].keys()
    assert all(value.startswith("[redacted, ") for value in found[field].values())


def test_what_an_object_says_in_settings_goes_too():
    pod = {
        "kind": "Pod",
        "metadata": {
            "name": "a",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "planted-a", "x/token": "planted-b"},
            "managedFields": [],
        },
        "spec": {
            "serviceAccountName": "agent",
            "containers": [
                {
                    "args": ["--password=planted-c"],
                    "env": [{"name": "OPENAI_API_KEY", "value": "planted-d"}, {"name": "PORT", "value": "8080"}],
                    "volumeMounts": [{"name": "token", "mountPath": "/secrets"}],
                }
            ],
        },
    }
    found = Redaction().object(pod)
    assert "planted" not in json.dumps(found)
    (container,) = found["spec"]["containers"]
    assert container["env"][1] == {"name": "PORT", "value": "8080"}
    assert container["volumeMounts"] == [{"name": "token", "mountPath": "/secrets"}]
    assert found["spec"]["serviceAccountName"] == "agent"


def test_what_an_envoy_shows_of_headers_goes():
    dump = {"initial_metadata": [{"key": "authorization", "value": "planted"}], "inline_string": f"x {JWT}"}
    assert "planted" not in json.dumps(Redaction().document(dump)).lower()


@pytest.mark.parametrize(
    "harmless",
    ["GET /v1/chat 200", "outbound|80||model.demo.svc.cluster.local", "spiffe://cluster.local/ns/demo/sa/agent"],
)
def test_what_helps_stays(harmless):
    assert Redaction(redaction.secrets_of(SECRETS)).text(harmless) == harmless


def test_an_archive_is_its_owners_alone_and_nothing_secret_is_in_it(tmp_path):
    path = tmp_path / "report.tar.gz"
    archive = Archive(path, Redaction(redaction.secrets_of(SECRETS)), at=0)
    archive.objects("secrets.json", SECRETS)
    archive.text("app.log", "\n".join((*NEEDLES, *(text for text, _ in LOOKS.values()))))
    archive.document("proxy.json", {"deep": [{"value": needle} for needle in NEEDLES]})
    archive.close()
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as tar:
        content = "".join(tar.extractfile(each).read().decode() for each in tar.getmembers())
    assert not [needle for needle in (*NEEDLES, *(needle for _, needle in LOOKS.values())) if needle in content]


def test_an_archive_takes_no_files_place(tmp_path):
    (tmp_path / "a.tar.gz").write_text("mine")
    with pytest.raises(FileExistsError):
        Archive(tmp_path / "a.tar.gz", Redaction(), at=0)
