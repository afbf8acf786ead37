"""The site that `make docs` builds from these files: Sphinx, without anything that a browser would have to fetch.

The files are Markdown as GitHub shows it. What Sphinx wants beside it, the tree of pages, is read from the links of
`index.md`, so that there is one list of them.
"""

import re
from itertools import pairwise
from typing import Any

project = "Semafor"
author = "The Semafor authors"
copyright = author  # noqa: A001 (Sphinx's name for it)
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
html_title = "Semafor"
html_copy_source = False
html_show_sphinx = False
# Headings can be linked to by the names that GitHub gives them.
myst_heading_anchors = 4
# Many lists are of commands: what looks like a language's code need not be right in it to be shown.
suppress_warnings = ["misc.highlighting_failure"]
_LINK = re.compile(r"\]\(([\w/.-]+)\.md\)")


def tree(text: str) -> str:
    """The pages that the index leads to, one hidden tree for each of its headings."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    trees = [
        f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(dict.fromkeys(_LINK.findall(body))) + "\n```\n"
        for title, body in list(pairwise(parts))[::2]
    ]
    return "\n".join((text, *trees))


def below(docname: str, text: str) -> str:
    """The pages of a folder, under the page that is its README."""
    pages = "*" if docname.startswith("decisions") else "*/*\n*"
    return f"{text}\n\n```{{toctree}}\n:hidden:\n:glob:\n\n{pages}\n```\n"


def read(_app: Any, docname: str, source: list[str]) -> None:
    """Give the pages with other pages below them their tree."""
    if docname == root_doc:
        source[0] = tree(source[0])
    elif docname in {"decisions/README", "reference/README"}:
        source[0] = below(docname, source[0])


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
