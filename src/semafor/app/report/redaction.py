"""Takes secrets out of documents and texts, before they leave the machine. Pure.

Three nets, one behind the other, for each lets something through that another holds:
what is a Secret by its place (objects), what is known to be secret (the values of all Secrets, wherever they turn up),
and what looks like one (keys, tokens, passwords in addresses and settings).
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

Doc = dict[str, Any]

GONE: Final = "[redacted]"
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_SHORTEST: Final = 4  # a secret of fewer signs would take half of every text along
_WORDS: Final = (
    "password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|authorization"
)
_NAME: Final = re.compile(rf"(?i)(^|[^a-z])({_WORDS}|pwd|auth|cookie|dsn)($|[^a-z])|(?:{_WORDS})$")
# What begins with such a word and is no secret: names of objects and files, and settings of the mesh.
_HARMLESS: Final = re.compile(
    r"(?i)(name|ref|path|file|type|mode|kind|url|uri|issuer|audiences?|expirationseconds|selector|prefix|keys?ref)$"
)
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # Private keys in PEM, also where line feeds are written as \n.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), GONE),
    # Tokens of three parts (JWT); the first two begin with `{"` in base64.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"), GONE),
    (re.compile(r"(?i)\b(bearer|basic|digest|negotiate)(\s+|%20)[A-Za-z0-9+/=_.~-]{6,}"), rf"\1 {GONE}"),
    # A password in an address: scheme://user:password@host.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@\"']*):[^\s/@\"']+@"), rf"\1:{GONE}@"),
    # Keys by their makers' marks: AWS, GitHub, GitLab, Slack, Google, Stripe, OpenAI and Anthropic.
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), GONE),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|rk_live_)[A-Za-z0-9_-]{10,}"), GONE),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"), GONE),
    # `password=...`, `--token ...`, `"api_key": "..."`, `X-Api-Key: ...`
    (
        re.compile(rf"(?i)([\w.-]*(?:{_WORDS})[\"']?\s*(?:=|:|%3D)\s*[\"']?)(?!\[redacted)[^\s\"',;&}}\]]+"),
        rf"\1{GONE}",
    ),
    (re.compile(rf"(?i)(--?[\w-]*(?:{_WORDS})\s+)(?!\[redacted|-)[^\s\"',]+"), rf"\1{GONE}"),
)


class Redaction:
    """Takes out what it knows, and what looks like a secret."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {form for value in known for form in _forms(value)}
        # The longest first: a secret may be the beginning of another.
        ordered = sorted(forms, key=lambda each: (-len(each), each))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._known:
            text = self._known.sub(GONE, text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def object(self, document: Doc) -> Doc:
        """A Kubernetes object: what a Secret holds is told by its size alone."""
        metadata = document.get("metadata") or {}
        annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _APPLIED}
        kept = {key: value for key, value in metadata.items() if key != "managedFields"}
        kept |= {"annotations": annotations} if annotations else {}
        if not annotations:
            kept.pop("annotations", None)
        document = {**document, "metadata": kept}
        if document.get("kind") == "Secret":
            document |= {field: _sizes(document[field]) for field in ("data", "stringData") if document.get(field)}
        cleaned: Doc = self.document(document)
        return cleaned

    def document(self, node: Any, name: str = "") -> Any:
        """A document of any form: values under a telling name go, all other texts are searched."""
        match node:
            case dict():
                return self._mapping(node)
            case list() | tuple():
                return [self.document(each, name) for each in node]
            case str() if _tells(name):
                return GONE if node else node
            case str():
                return self.text(node)
            case _:
                return node

    def _mapping(self, node: Mapping[str, Any]) -> Doc:
        """`{"name": "PASSWORD", "value": "x"}`, as env and headers are written, counts as `PASSWORD: x`."""
        named = next((str(node[key]) for key in ("name", "key", "header") if isinstance(node.get(key), str)), "")
        found = {}
        for key, value in node.items():
            of = named if key in ("value", "rawValue", "raw_value", "exact", "prefix") and _tells(named) else str(key)
            is_size = isinstance(value, str) and re.fullmatch(r"\[redacted, \d+ bytes\]", value)
            found[str(key)] = value if is_size else self.document(value, of)
        return found


def secrets_of(objects: Iterable[Doc]) -> Iterator[str]:
    """The values of Secrets, as they are used: the texts, their lines, and what their JSON holds."""
    for each in objects:
        for value in (each.get("data") or {}).values():
            try:
                yield from _values(base64.b64decode(value, validate=True).decode())
            except (binascii.Error, UnicodeDecodeError, ValueError, TypeError):
                yield str(value)
        for value in (each.get("stringData") or {}).values():
            yield from _values(str(value))


def _values(text: str) -> Iterator[str]:
    yield text
    if "-----BEGIN CERTIFICATE" in text and "PRIVATE KEY" not in text:
        return  # a certificate is for everybody
    yield from (line for line in text.splitlines() if not line.startswith("-----"))
    try:
        yield from _leaves(json.loads(text))
    except (ValueError, RecursionError):
        return


def _leaves(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for value in node.values():
                yield from _leaves(value)
        case list():
            for each in node:
                yield from _leaves(each)
        case str():
            yield node


def _forms(value: str) -> Iterator[str]:
    """How a secret is written: as it is, in base64, in an address, and within JSON."""
    value = value.strip()
    if len(value) < _SHORTEST:
        return
    yield value
    yield base64.b64encode(value.encode()).decode()
    yield base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]


def _sizes(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: f"[redacted, {len(str(value))} bytes]" for key, value in values.items()}


def _tells(name: str) -> bool:
    """Whether what has this name is secret: `DB_PASSWORD`, `apiKey`, `x-auth-token`."""
    spread = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return bool(_NAME.search(spread)) and not _HARMLESS.search(name)
