"""A small client of the mesh's Kubernetes API: requests, and watches that are read line by line."""

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from semafor.app import kubeconfig

_TIMEOUT_S = 30.0


class Api:
    """The API that a kubeconfig names. Refusals raise httpx.HTTPStatusError."""

    def __init__(self, path: Path) -> None:
        access = kubeconfig.access(kubeconfig.read(path))
        self._http = httpx.Client(
            base_url=access.server,
            verify=ssl.create_default_context(cadata=access.ca_pem),
            headers={"Authorization": f"Bearer {access.token}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )

    def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._answer(self._http.post(collection, json=body))

    def merge(self, path: str, patch: dict[str, Any]) -> dict[str, Any]:
        """A JSON merge patch of the object at `path`."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._answer(self._http.patch(path, content=json.dumps(patch), headers=headers))

    def apply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Server-side apply: make the object at `path`, or bring it to what `body` says."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        params = {"fieldManager": "tests", "force": "true"}
        return self._answer(self._http.patch(path, content=json.dumps(body), headers=headers, params=params))

    def delete(self, path: str) -> None:
        self._answer(self._http.request("DELETE", path, json={"gracePeriodSeconds": 0}))

    @contextlib.contextmanager
    def watch(self, collection: str, name: str) -> Iterator["Watch"]:
        """The changes of one object, from what there is now; the server has begun when the block does."""
        params = {"watch": "true", "fieldSelector": f"metadata.name={name}"}
        with self._http.stream("GET", collection, params=params) as response:
            response.raise_for_status()
            yield Watch(response)

    def close(self) -> None:
        self._http.close()

    @staticmethod
    def _answer(response: httpx.Response) -> dict[str, Any]:
        response.raise_for_status()
        body = response.json()
        assert isinstance(body, dict)
        return body


class Watch:
    """An open watch, read in the caller's own time."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def until(self, holds: Callable[[str, dict[str, Any]], bool]) -> float:
        """Read on until `holds(type of event, object)`; the time at which that was read (perf_counter).

        Raises httpx.ReadTimeout when nothing comes for long.
        """
        for line in self._lines:
            event = json.loads(line)
            if holds(event["type"], event["object"]):
                return time.perf_counter()
        raise TimeoutError("the watch ended before what was waited for")


def condition(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """The condition of that type; empty when there is none."""
    conditions = body.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})
