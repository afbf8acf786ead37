"""Names of images: `service-1`, `docker.io/library/python:3.11-slim`, `registry.k8s.io/pause@sha256:...`. Pure."""

import re

from semafor.base.struct import Value
from semafor.kube.images.errors import ImageError

_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REGISTRY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?")
_DEFAULT_REGISTRY = "docker.io"


class Reference(Value):
    """`registry/repository:tag`, with what is left out filled in as Docker does."""

    registry: str
    repository: str
    tag: str = "latest"

    @property
    def name(self) -> str:
        """The shortest name without the tag: `python`, `curlimages/curl`, `quay.io/org/app`."""
        if self.registry != _DEFAULT_REGISTRY:
            return f"{self.registry}/{self.repository}"
        return self.repository.removeprefix("library/")

    def __str__(self) -> str:
        """The full name, the same for all ways to write it."""
        return f"{self.registry}/{self.repository}:{self.tag}"


def parse(text: str) -> Reference:
    """The reference that a text means. A digest is dropped: images here are known by name. Raises ImageError."""
    name = text.partition("@")[0]
    head, slash, rest = name.partition("/")
    registry = _DEFAULT_REGISTRY
    if slash and ("." in head or ":" in head or head == "localhost"):
        registry, name = head, rest
    repository, colon, tag = name.partition(":")
    registry = _DEFAULT_REGISTRY if registry == "index.docker.io" else registry
    well_formed = _REGISTRY.fullmatch(registry) and _REPOSITORY.fullmatch(repository)
    if not well_formed or (colon and not _TAG.fullmatch(tag)):
        raise ImageError(f"{text!r} is not the name of an image: write it like service-1:latest, in lower case")
    if registry == _DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(registry=registry, repository=repository, tag=tag or "latest")
