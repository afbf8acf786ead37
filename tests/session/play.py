"""A session with the API of Kubernetes: requests out of a file, answers in words that two servers can have in common.

What differs by nature (times, versions, uids, addresses that are given out) stands there as what it is: two answers
with `<version of it is replaced>` show an object that has not changed since that request.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ryaml

Doc = dict[str, Any]
FOLDER = Path(__file__).parent
TOPICS = ("apply", "custom", "deletion", "lists", "objects", "patches", "workloads")

_FORMS = {
    "json": "application/json",
    "yaml": "application/yaml",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json-patch": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_ACCEPTED = {
    "table": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "metadata": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "metadata list": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
}
_LONGEST_S = 20.0


def steps(topic: str) -> list[Doc]:
    """The requests of a file."""
    found: list[Doc] = ryaml.loads((FOLDER / f"{topic}.yaml").read_text())
    return found


def answers_file(topic: str) -> Path:
    """Where the real API server's answers are written down."""
    return FOLDER / f"{topic}.answers.yaml"


def play(client: httpx.Client, topic: str) -> list[Doc]:
    """Ask everything, in order; the answers, normalized."""
    player = Player(client)
    return [player.ask(step) for step in steps(topic)]


class Player:
    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._known: dict[str, str] = {}
        self._seen = Seen()

    def ask(self, step: Doc) -> Doc:
        """The answer to one request: its code, what it warns of, and the body."""
        self._seen.during = step["say"]
        verb, _, path = self._filled(step["do"]).partition(" ")
        if verb == "WATCH":
            return self._watch(step, path)
        response = self._asked(step, verb, path)
        body = _body(response)
        for name, where in (step.get("keep") or {}).items():
            self._known[name] = str(_at(body, where))
        made: Doc = {"say": step["say"], "code": response.status_code}
        if warnings := response.headers.get_list("warning"):
            made["warnings"] = sorted(warnings)
        if "ask" in step:
            return made | {"found": {where: self._seen.normal(_at(body, where)) for where in step["ask"]}}
        return made | {"body": _unordered(self._seen.normal(body))}

    def _asked(self, step: Doc, verb: str, path: str) -> httpx.Response:
        """The answer; the first one with the code that the step waits for, if it waits for one."""
        deadline = time.monotonic() + _LONGEST_S
        while True:
            response = self._client.request(verb, path, content=self._content(step), headers=_headers(step))
            if step.get("until", response.status_code) == response.status_code or time.monotonic() > deadline:
                return response
            time.sleep(0.1)

    def _watch(self, step: Doc, path: str) -> Doc:
        """The first events, as many as are asked for."""
        found: list[Any] = []
        with self._client.stream("GET", path, headers=_headers(step), timeout=_LONGEST_S) as response:
            if response.is_error:
                response.read()
                return {"say": step["say"], "code": response.status_code, "body": self._seen.normal(_body(response))}
            for line in response.iter_lines():
                found.append(self._seen.normal(json.loads(line)))
                if len(found) == step["events"]:
                    break
        return {"say": step["say"], "code": 200, "events": found}

    def _content(self, step: Doc) -> str | None:
        if "text" in step:
            return self._filled(step["text"])
        return self._filled(json.dumps(step["body"])) if "body" in step else None

    def _filled(self, text: str) -> str:
        for name, value in self._known.items():
            text = text.replace(f"${name}", value)
        return text


def _headers(step: Doc) -> dict[str, str]:
    made = {"Accept": _ACCEPTED.get(step.get("accept", ""), step.get("accept", "application/json"))}
    if "body" in step or "text" in step:
        form = step.get("as", "json")
        made["Content-Type"] = _FORMS.get(form, form)
    if "token" in step:
        made["Authorization"] = f"Bearer {step['token']}"
    return made


def _unordered(body: Any) -> Any:
    """A refusal for several reasons without its sentence, which says the same as they do, in some order."""
    details = body.get("details") if isinstance(body, dict) else None
    several = isinstance(details, dict) and len(details.get("causes") or ()) > 1
    return {**body, "message": "<its causes>"} if several else body


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _at(body: Any, where: str) -> Any:
    for part in where.split("."):
        if isinstance(body, list):
            body = body[int(part)] if int(part) < len(body) else None
        else:
            body = body.get(part) if isinstance(body, dict) else None
    return body


# --- what differs by nature -------------------------------------------------------------------------------------------

_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_TOKEN_VOLUME = re.compile(r"(?<=kube-api-access-)[a-z0-9]{5}\b")
_ADDRESS = re.compile(r"\b10\.(96|97|233)\.\d+\.\d+\b")
_VERSION_IN_TEXT = re.compile(
    r"(ResourceVersion in (?:precondition|object meta): |current: |\(|too old resource version: )\d+"
)
_ALLOWED = re.compile(r'(supported values: )("[^"]*"(?:, "[^"]*")*)')
_NODE_PORT = re.compile(r"(?<=:)3[0-2]\d\d\d(?=/)")
_AGE = re.compile(r"\d+s")


class Seen:
    """What has been seen of versions and uids, so that the same one gets the same word: `<version of STEP>`."""

    def __init__(self) -> None:
        self.during = ""
        self._words: dict[str, str] = {}

    def normal(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            made = {self._text(name, ""): self.normal(value[name], name) for name in sorted(value)}
            return _status(made) if made.get("causes") else _named(made, key)
        if isinstance(value, list):
            listed = [self.normal(each, key) for each in value]
            return sorted(listed, key=_manager) if key == "managedFields" else listed
        return self._text(value, key) if isinstance(value, str) else self._number(value, key)

    def _text(self, text: str, key: str) -> str:
        if key == "resourceVersion" and text.isdigit() and text != "0":
            return self._word("version", text)
        if key == "continue" and text:
            return "<continue>"
        if key == "cells" and _AGE.fullmatch(text):
            return "<age>"
        text = _UID.sub(lambda found: self._word("uid", found[0]), text)
        text = _TIME.sub("<time>", text)
        text = _ADDRESS.sub("<address>", _TOKEN_VOLUME.sub("<made>", text))
        text = _NODE_PORT.sub("<port>", text) if key == "cells" else text
        text = _ALLOWED.sub(lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), text)
        return _VERSION_IN_TEXT.sub(r"\1<version>", text) if key == "message" else text

    def _number(self, value: Any, key: str) -> Any:
        return "<port>" if key in ("nodePort", "healthCheckNodePort") and value else value

    def _word(self, sort: str, text: str) -> str:
        return self._words.setdefault(f"{sort} {text}", f"<{sort} of {self.during}>")


def _manager(entry: Doc) -> tuple[str, ...]:
    """Their order is that of seconds."""
    return tuple(str(entry.get(key, "")) for key in ("manager", "operation", "subresource"))


def _named(made: Doc, key: str) -> Doc:
    if "generateName" in made and "name" in made:
        made["name"] = made["generateName"] + "<made>"
    if key == "columnDefinitions":
        made["description"] = "<words>"
    return made


def _status(details: Doc) -> Doc:
    """The details of a refusal: which mistake comes first is nobody's business."""
    return {
        **details,
        "causes": sorted(details["causes"], key=lambda cause: (cause.get("field", ""), cause["message"])),
    }


def written(topic: str) -> list[Doc]:
    """What the real API server answered."""
    found: list[Doc] = ryaml.loads(answers_file(topic).read_text())
    return found


def known() -> Doc:
    """The differences that there are, and why."""
    found: Doc = ryaml.loads((FOLDER / "differences.yaml").read_text())
    return found


def differing(real: list[Doc], ours: list[Doc]) -> dict[str, list[str]]:
    """By request, the paths at which answers differ, but for those that may anywhere."""
    anywhere = [re.compile(each["path"]) for each in known()["anywhere"]]
    found: dict[str, list[str]] = {}
    for one, other in zip(real, ours, strict=True):
        paths = [
            path
            for path, *_ in differences(one, _without_notices(other))
            if not any(each.search(path) for each in anywhere)
        ]
        if one["code"] != other["code"]:
            paths = ["code"]  # and so all else
        if paths:
            found[one["say"]] = paths
    return found


def _without_notices(answer: Doc) -> Doc:
    """Without the warning that nothing acts on a kind yet, which goes when something does."""
    kept = [each for each in answer.get("warnings", ()) if "has no effect yet" not in each]
    rest = {key: value for key, value in answer.items() if key != "warnings"}
    return rest | ({"warnings": kept} if kept else {})


def differences(real: Any, ours: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two answers differ: path, the real one's value, ours; None: not there."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for name in sorted(real.keys() | ours.keys()):
            yield from differences(real.get(name), ours.get(name), f"{path}.{name}" if path else name)
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for number, (one, other) in enumerate(zip(real, ours, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif real != ours:
        yield path, real, ours
