"""What Envoy makes of a path before it looks at it.

Source: Envoy's HttpConnectionManager, `path_with_escaped_slashes_action`, `normalize_path` and `merge_slashes`, in this
order; RFC 3986, section 6.
"""

import re

from semafor.ir.listener import PathNormalization

_MERGING = ("merge_slashes", "decode_and_merge_slashes")
_ESCAPED = re.compile(r"%(?:2f|5c)", re.IGNORECASE)
# Letters, digits and -._~ mean the same when they are escaped.
_UNRESERVED = re.compile(r"%(2[de]|3[0-9]|[46][1-9a-f]|5[0-9af]|7[0-9ae])", re.IGNORECASE)


def normalized(path: str, how: PathNormalization) -> str:
    """The path as routes and policies see it; its query stays as it is."""
    plain, mark, query = path.partition("?")
    if how == "decode_and_merge_slashes":
        plain = _ESCAPED.sub(lambda found: "/" if found[0].lower() == "%2f" else "\\", plain)
    if how != "none":
        plain = _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), plain.replace("\\", "/"))
        plain = _without_dots(plain)
    return (re.sub("/+", "/", plain) if how in _MERGING else plain) + mark + query


def _without_dots(path: str) -> str:
    """With `.` and `..` resolved, as RFC 3986 has it in section 5.2.4."""
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts and parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
