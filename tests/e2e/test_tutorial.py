"""The tutorial, typed as it stands by somebody new, on a machine without a mesh; the Russian one types the same."""

import re
import shutil

import pytest
from tests.documents import ROOT, blocks
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]

TUTORIAL = ROOT / "docs" / "tutorial.md"
# What has to be seen in each step, as patterns.
SEEN = {
    2: [r"The mesh is ready", r"semafor +Ready"],
    3: [r"built tutorial/model:v1", r"built tutorial/agent:latest"],
    4: [r"model-v2-\S+ +2/2 +Running", r'"answer": "You asked', r'"v1": \d+'],
    5: [r"virtualservice\S+/model condition met", r'"v1": 1\d\d'],
    6: [r'"version": "v2"'],
    7: [r"no DestinationRule defines the subset v3", r'"answer"'],
    8: [r'"errors": \d+', r'{"counts": {"v2": 200}', r"no answer within the time-out", r"after 2\.\d+ s"],
    9: [r"URI=spiffe://cluster.local/ns/default/sa/default", r"ssl.handshake: \d", r"caller=none"],
    10: [r"curl: \((52|56)\)", r'"status": "healthy"'],
    11: [r"passed: 200", r"VirtualService default/model spec.http\[0\]", r"http://127.0.0.1:\d+/#link="],
    12: [r'"errors": \d\d', r"FAILED", r"HEALTHY +OK"],
    13: [r"production +default +STRICT", r"No validation issues"],
    14: [r'"state":"firing"'],
    15: [r'namespace "production" deleted', r"The mesh is stopped"],
}


def steps() -> dict[int, str]:
    """The commands of each step, from the second on: the first installs what these tests run already."""
    text = TUTORIAL.read_text()
    parts = re.split(r"^## (\d+)\. .+$", text, flags=re.MULTILINE)[1:]
    found = {int(number): body for number, body in zip(parts[::2], parts[1::2], strict=True)}
    return {
        number: "\n".join(block.text for block in blocks(body) if block.language == "sh")
        for number, body in found.items()
        if number > 1
    }


def test_the_tutorial_does_what_it_says(alone: Machine) -> None:
    command = alone.write("bin/semafor", f'#!/bin/sh\nexec {alone._python} -m semafor "$@"\n')
    command.chmod(0o755)
    alone.environment["PATH"] = f"{command.parent}:{alone.environment['PATH']}"
    folder = alone.folder / "src" / "semafor" / "tutorial"
    shutil.copytree(ROOT / "src" / "semafor" / "tutorial", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for number, commands in steps().items():
        begin = "" if number <= 3 else f"cd {folder}\n"
        done = alone.run("bash", "-e", "-c", f"{begin}{commands}", timeout=240)
        said = done.stdout + done.stderr
        missing = [pattern for pattern in SEEN[number] if not re.search(pattern, said)]
        assert not missing, f"step {number} did not show {missing}:\n{said}"
