"""What Envoy makes of a path before it routes by it. Source: its HttpConnectionManager, normalize_path and after."""

import re
from typing import Any

_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


def normalized(connection: dict[str, Any], path: str) -> str:
    """The path, which comes without its query."""
    if connection.get("path_with_escaped_slashes_action") == "UNESCAPE_AND_FORWARD":
        path = re.sub("%2f", "/", re.sub("%5c", r"\\", path, flags=re.I), flags=re.I)
    if connection.get("normalize_path"):
        path = _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path.replace("\\", "/"))
        path = _without_dots(path)
    return re.sub("/+", "/", path) if connection.get("merge_slashes") else path


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")[1:]
    for number, part in enumerate(parts):
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
        if part in (".", "..") and number == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)
