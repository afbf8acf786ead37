"""A small client of the Kubernetes API for the commands: plain HTTP, the kubeconfig in the home, no magic."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import ryaml

from semafor.app import kubeconfig
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.resources import registry
from semafor.resources.kind import Kind

Document = dict[str, Any]


class Api:
    """The API of the mesh in `home`. Refusals raise Failure with the server's own words."""

    def __init__(self, home: Home) -> None:
        access = _access(home)
        context = ssl.create_default_context(cadata=access.ca_pem)
        headers = {"Authorization": f"Bearer {access.token}", "User-Agent": "semafor"}
        self._http = httpx.Client(base_url=access.server, verify=context, headers=headers, timeout=30, trust_env=False)

    def get(self, kind: Kind, name: str, namespace: str = "default") -> Document | None:
        """The object, or None when there is none."""
        response = self._ask("GET", path(kind, namespace, name))
        found: Document | None = None if response.status_code == httpx.codes.NOT_FOUND else _checked(response)
        return found

    def objects(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Document]:
        """The objects of a namespace, or of all."""
        items = _checked(self._ask("GET", path(kind, namespace), params={"labelSelector": labels}))["items"]
        assert isinstance(items, list)
        return items

    def create(self, kind: Kind, body: Document) -> Document:
        """Create the object in the namespace it names."""
        where = path(kind, body["metadata"].get("namespace", "default"))
        made: Document = _checked(self._ask("POST", where, json=body))
        return made

    def update(self, kind: Kind, body: Document, subresource: str = "") -> Document:
        """Replace the object, or the part of it that the subresource is about."""
        metadata = body["metadata"]
        where = path(kind, metadata.get("namespace", "default"), metadata["name"])
        made: Document = _checked(self._ask("PUT", f"{where}/{subresource}".rstrip("/"), json=body))
        return made

    def apply(self, body: Document, namespace: str = "default") -> Document:
        """Server-side apply, as `kubectl apply --server-side --force-conflicts` does."""
        kind = kind_of(body)
        namespace = body["metadata"].get("namespace", namespace)
        response = self._ask(
            "PATCH",
            path(kind, namespace, body["metadata"]["name"]),
            params={"fieldManager": "semafor", "force": "true", "fieldValidation": "Strict"},
            content=yaml_bytes(body),
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        applied: Document = _checked(response)
        return applied

    def put(self, kind: Kind, body: Document) -> Document:
        """Make the object what the document says, all of it, whether it was there or not."""
        metadata = body["metadata"]
        known = self.get(kind, metadata["name"], metadata["namespace"])
        if known is None:
            return self.create(kind, body)
        body = {**body, "metadata": {**metadata, "resourceVersion": known["metadata"]["resourceVersion"]}}
        made: Document = _checked(self._ask("PUT", path(kind, metadata["namespace"], metadata["name"]), json=body))
        return made

    def tried(self, kind: Kind, body: Document) -> Document:
        """What would be stored if the object were created; nothing is. In a namespace that is not there: the body."""
        where = path(kind, body["metadata"].get("namespace", "default"))
        response = self._ask("POST", where, json=body, params={"dryRun": "All"})
        if response.status_code == httpx.codes.NOT_FOUND:
            return body
        made: Document = _checked(response)
        return made

    def tried_patch(self, kind: Kind, now: Document, patch: Document, *, strategic: bool) -> Document:
        """What would be stored if the object were patched; nothing is."""
        metadata = now["metadata"]
        form = "strategic-merge-patch" if strategic else "merge-patch"
        response = self._ask(
            "PATCH",
            path(kind, metadata.get("namespace", "default"), metadata["name"]),
            params={"dryRun": "All"},
            content=yaml_bytes(patch),
            headers={"Content-Type": f"application/{form}+json"},
        )
        made: Document = _checked(response)
        return made

    def delete(self, kind: Kind, name: str, namespace: str = "default") -> None:
        """Delete the object; one that is not there is fine."""
        response = self._ask("DELETE", path(kind, namespace, name))
        if response.status_code != httpx.codes.NOT_FOUND:
            _checked(response)

    def follow_log(self, pod: str, namespace: str) -> Iterator[str]:
        """The lines of the pod's log as they come, until the container has ended."""
        with self._http.stream(
            "GET", f"{_pod(pod, namespace)}/log", params={"follow": "true"}, timeout=None
        ) as response:
            if response.is_error:
                response.read()
                _checked(response)
            yield from response.iter_lines()

    def log_lines(self, pod: Document, container: str) -> list[str]:
        """The log that a container has written so far."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        response = self._ask("GET", f"{_pod(name, namespace)}/log", params={"container": container})
        return [] if response.is_error else response.text.splitlines()

    def ask(self, question: str, body: Document | None = None) -> Any:
        """Ask the mesh something about itself (`semafor.app.questions`); some questions have a body."""
        verb = "GET" if body is None else "POST"
        return _checked(self._ask(verb, f"/semafor/v1/{question}", json=body))

    @contextmanager
    def stream(self, question: str, body: Document) -> Iterator[Iterator[str]]:
        """Ask for what has no end: its text as it comes, while the context lasts."""
        with self._http.stream("POST", f"/semafor/v1/{question}", json=body, timeout=None) as response:
            if response.is_error:
                response.read()
                _checked(response)
            yield response.iter_text()

    def _ask(self, verb: str, where: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(verb, where, **more)
        except httpx.TransportError as error:
            words = f"the mesh's API at {self._http.base_url} does not answer: {error}"
            raise Failure(
                words, "it may be starting or stopping; if this lasts: semafor down, then semafor up"
            ) from error

    def wait(
        self, probe: Callable[[], str], *, timeout_s: float, what: str, on_wait: Callable[[str], None] | None = None
    ) -> None:
        """Ask `probe` until it returns "" (done); it otherwise says in words what is still missing."""
        deadline = time.monotonic() + timeout_s
        while missing := probe():
            if time.monotonic() > deadline:
                raise Failure(f"{what} took longer than {timeout_s:.0f} s: {missing}")
            if on_wait:
                on_wait(missing)
            time.sleep(0.05)


def path(kind: Kind, namespace: str | None, name: str = "") -> str:
    """The path of a collection or of one object."""
    version = kind.versions[0]
    root = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    middle = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{root}{middle}/{kind.plural}" + (f"/{name}" if name else "")


def _pod(name: str, namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def kind_of(body: Document) -> Kind:
    """The kind that the document names."""
    group = body["apiVersion"].rpartition("/")[0]
    kind = registry.by_kind(group, body["kind"])
    if kind is None:
        raise Failure(f"unknown kind {body['apiVersion']} {body['kind']}")
    return kind


def documents(file: Path) -> Iterator[Document]:
    """The objects in a YAML file."""
    for body in ryaml.loads_all(file.read_text()):
        if body:
            yield body


def yaml_bytes(body: Document) -> bytes:
    """JSON is YAML."""
    return json.dumps(body).encode()


def report(home: Home) -> Document:
    """Where everything of the mesh is that runs here. Raises Failure when none is ready."""
    try:
        found = home.report()
    except ValueError as error:
        raise damaged(error) from error
    if found is None and home.running_pid() is None:
        raise Failure("no mesh is running here", "start it with: semafor up")
    if found is None:
        raise Failure("the mesh is starting or stopping", "try again in a moment")
    return found


def damaged(error: ValueError) -> Failure:
    """The mesh runs, and its own note of where is lost."""
    return Failure(str(error), "the mesh itself runs; to have the file again: semafor down, then semafor up")


def _access(home: Home) -> kubeconfig.Access:
    if home.running_pid() is None:
        raise Failure("no mesh is running here", "start it with: semafor up")
    return kubeconfig.access(kubeconfig.read(home.kubeconfig))


def _checked(response: httpx.Response) -> Any:
    body = response.json()
    if response.is_error:
        raise Failure(body.get("message", f"the API answered {response.status_code}"))
    return body
