"""The selector of Istio's older kinds. Source: Istio's API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.marks import Labels


class ProxySelector(Document):
    """Which pods are meant, by their labels."""

    labels: Annotated[Labels, "Labels that the pods must have, all of them."] = {}
