"""What a request for a stream means: the pod, the container, the options of its query. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from semafor.base.struct import Value
from semafor.kube.api import errors
from semafor.kube.api.errors import StatusError
from semafor.resources.errors import FieldError

FindPod = Callable[[str, str], dict[str, Any] | None]

_LONGEST_SINCE_S = 10**9  # 31 years: whoever asks for more wants everything
_TRUE = frozenset({"true", "1", "t", "T", "TRUE", "True"})


class LogOptions(Value):
    """The query of `log`."""

    follow: bool
    previous: bool
    timestamps: bool
    tail: int | None
    limit_bytes: int | None
    since: datetime | None


class RemoteOptions(Value):
    """The query of `exec` and `attach`; `argv` is empty for attach."""

    argv: tuple[str, ...]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


def pod(find_pod: FindPod, path: Mapping[str, str]) -> dict[str, Any]:
    """The pod that a path names. Raises StatusError NotFound, unless `find_pod` has raised its own."""
    name = path["name"]
    found = find_pod(path["namespace"], name)
    if found is None:
        details = {"name": name, "kind": "pods"}
        raise StatusError(404, "NotFound", f'pods "{name}" not found', details)
    return found


def container(pod: dict[str, Any], asked: str) -> str:
    """The container that is meant: the one asked for, or the only one. Raises StatusError BadRequest.

    Source: kube-apiserver, registry/core/pod/strategy.go, validateContainer.
    """
    name = pod["metadata"]["name"]
    spec = pod.get("spec", {})
    apps, inits, ephemeral = (_names(spec, key) for key in ("containers", "initContainers", "ephemeralContainers"))
    if asked:
        if asked not in (*apps, *inits, *ephemeral):
            raise errors.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(apps) == 1:
        return apps[0]
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(apps)}]"
    if inits:
        message += f" or one of the init containers: [{' '.join(inits)}]"
    raise errors.bad_request(message)


def require_node(pod: dict[str, Any]) -> None:
    """Refuse a pod that no node has taken yet."""
    if not pod.get("spec", {}).get("nodeName"):
        raise errors.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")


def log_options(query: QueryParams, name: str, now: datetime) -> LogOptions:
    """Read and check the query of `log`. Raises StatusError, with every mistake as a cause."""
    causes: list[FieldError] = []
    tail = _number(query, "tailLines", 0, causes)
    limit = _number(query, "limitBytes", 1, causes)
    seconds = _number(query, "sinceSeconds", 1, causes)
    since = _time(query, "sinceTime", causes)
    if seconds is not None and since is not None:
        text = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(FieldError(path="", reason="FieldValueForbidden", message=text))
    if causes:
        raise _invalid("PodLogOptions", name, causes)
    if seconds is not None:
        since = now - timedelta(seconds=min(seconds, _LONGEST_SINCE_S))
    return LogOptions(
        follow=_flag(query, "follow"),
        previous=_flag(query, "previous"),
        timestamps=_flag(query, "timestamps"),
        tail=tail,
        limit_bytes=limit,
        since=since,
    )


def remote_options(query: QueryParams, *, is_exec: bool) -> RemoteOptions:
    """Read and check the query of `exec` or `attach`. Raises StatusError BadRequest."""
    argv = tuple(query.getlist("command")) if is_exec else ()
    if is_exec and not argv:
        raise errors.bad_request("you must specify at least 1 command for the container")
    stdin, stdout, stderr, tty = (_flag(query, key) for key in ("stdin", "stdout", "stderr", "tty"))
    if not (stdin or stdout or stderr):
        raise errors.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return RemoteOptions(argv=argv, stdin=stdin, stdout=stdout, stderr=stderr and not tty, tty=tty)


def ports(query: QueryParams) -> tuple[int, ...]:
    """The `ports` of a port-forward over v4 channels, as several values or with commas. Raises BadRequest."""
    texts = [text for value in query.getlist("ports") for text in value.split(",") if text]
    if not texts:
        raise errors.bad_request('query parameter "ports" is required')
    return tuple(port(text) for text in texts)


def port(text: str) -> int:
    """A port's number. Raises BadRequest."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 65535:
        raise errors.bad_request(f"port {text!r} must be a number between 1 and 65535")
    return int(text)


def _names(spec: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(item["name"] for item in spec.get(key) or ())


def _flag(query: QueryParams, key: str) -> bool:
    return query.get(key, "") in _TRUE


def _number(query: QueryParams, key: str, least: int, causes: list[FieldError]) -> int | None:
    text = query.get(key)
    if text is None or text == "":
        return None
    try:
        value = int(text)
    except ValueError:
        causes.append(_cause(key, text, "must be a whole number"))
        return None
    if value < least:
        causes.append(_cause(key, text, f"must be greater than {'or equal to 0' if least == 0 else '0'}"))
    return value


def _time(query: QueryParams, key: str, causes: list[FieldError]) -> datetime | None:
    text = query.get(key)
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        causes.append(_cause(key, f'"{text}"', 'must be a time as RFC 3339 writes it, such as "2026-01-31T08:00:00Z"'))
        return None
    return value


def _cause(field: str, value: str, why: str) -> FieldError:
    return FieldError(path=field, reason="FieldValueInvalid", message=f"Invalid value: {value}: {why}")


def _invalid(kind: str, name: str, causes: list[FieldError]) -> StatusError:
    lines = [str(cause) for cause in causes]
    what = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    details = {
        "name": name,
        "kind": kind,
        "causes": [{"reason": cause.reason, "message": cause.message, "field": cause.path} for cause in causes],
    }
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {what}', details)
