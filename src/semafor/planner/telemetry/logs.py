"""Which access logs are written, where to, and of what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from semafor.base.problem import Problem
from semafor.ir import AccessLog, FileLog, GrpcLog, Origin, OtlpLog
from semafor.planner.calling.providers import Reached
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.options import Options
from semafor.planner.telemetry import cel, formats, sections
from semafor.planner.telemetry.objects import Telemetry
from semafor.planner.telemetry.sections import Direction
from semafor.resources.istio.extension_provider import ExtensionProvider, FileAccessLog

ENVOY: Final = "envoy"  # the provider that is always there: Istio's name for the proxy's own standard output
STDOUT: Final = "/dev/stdout"
KINDS: Final = frozenset(("envoyFileAccessLog", "envoyHttpAls", "envoyTcpAls", "envoyOtelAls"))
Sink = FileLog | GrpcLog | OtlpLog
BUILT_IN: Final = ExtensionProvider(name=ENVOY, envoy_file_access_log=FileAccessLog(path=STDOUT))


def of(
    levels: Iterable[Telemetry], direction: Direction, sinks: Mapping[str, tuple[Sink, ...]], options: Options
) -> tuple[AccessLog, ...]:
    """The logs of one direction. `sinks` are those of the providers, by name.

    What Telemetry says stands in place of the mesh's accessLogFile. Source: Istio's mergeLogs.
    """
    said, default = tuple(sections.logs(levels)), options.default_providers.access_logging
    if not said and not default:
        return tuple(AccessLog(to=sink) for sink in of_mesh(options))
    told = sections.told(said, default)
    written: dict[str, tuple[str, Origin | None]] = {} if said else dict.fromkeys(default, ("", None))
    for section, providers, origin in sections.each(said, default):
        if sections.matches(section.match, direction):
            for name in providers:
                expression = section.filter.expression if section.filter else written.get(name, ("", None))[0]
                written.pop(name, None)
                if name in told and not section.disabled and not _wrong(expression):
                    written[name] = (expression, origin)
    return tuple(
        AccessLog(to=sink, expression=expression, origin=origin)
        for name, (expression, origin) in written.items()
        for sink in sinks.get(name, ())
    )


def of_mesh(options: Options) -> tuple[FileLog, ...]:
    """The log that the mesh configuration asks for itself."""
    if not options.access_log_file:
        return ()
    return (own(options.access_log_file, options),)


def own(path: str, options: Options) -> FileLog:
    """A file in the mesh's own format."""
    if options.access_log_encoding == "JSON":
        return FileLog(path=path, fields=formats.fields(options.access_log_format))
    return FileLog(path=path, text=formats.line(options.access_log_format))


def sinks(provider: ExtensionProvider, reached: Reached | None, options: Options) -> tuple[Sink, ...]:
    """Where the provider's log goes. Raises formats.Wrong."""
    if (file := provider.envoy_file_access_log) is not None:
        return (_file(file, options),)
    if reached is None:
        return ()
    cluster = reached.cluster.name
    if (http := provider.envoy_http_als) is not None:
        return (
            GrpcLog(
                cluster=cluster,
                name=http.log_name or "http_envoy_accesslog",
                states=http.filter_state_objects_to_log,
                request_headers=http.additional_request_headers_to_log,
                response_headers=http.additional_response_headers_to_log,
                response_trailers=http.additional_response_trailers_to_log,
            ),
        )
    if (tcp := provider.envoy_tcp_als) is not None:
        name = tcp.log_name or "tcp_envoy_accesslog"
        return (GrpcLog(cluster=cluster, name=name, states=tcp.filter_state_objects_to_log),)
    return _otlp(provider, cluster)


def _file(file: FileAccessLog, options: Options) -> FileLog:
    path, form = file.path or STDOUT, file.log_format
    if form and form.labels is not None:
        return FileLog(path=path, fields=_fields(form.labels), omit_empty=file.omit_empty_values)
    if form and form.text is not None:
        return FileLog(path=path, text=formats.line(form.text), omit_empty=file.omit_empty_values)
    return own(path, options)


def _otlp(provider: ExtensionProvider, cluster: str) -> tuple[Sink, ...]:
    otel = provider.envoy_otel_als
    if otel is None:
        return ()
    form, name = otel.log_format, otel.log_name or "otel_envoy_accesslog"
    body = form.text if form and form.text else formats.TEXT.strip()
    formats.check(body)
    return (OtlpLog(cluster=cluster, name=name, body=body, fields=_fields(form.labels or {}) if form else ()),)


def _fields(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for value in labels.values():
        formats.check(value)
    return tuple(sorted(labels.items()))


def _wrong(expression: str) -> str:
    """Why the condition cannot be used; empty when it can."""
    try:
        if expression:
            cel.check(expression)
    except cel.Wrong as error:
        return str(error)
    return ""


def check(one: Telemetry) -> Iterator[Problem]:
    """What of the object's logs is not understood."""
    for section, origin in sections.logs((one,)):
        if section.filter and (why := _wrong(section.filter.expression)):
            place = at(origin, "filter.expression")
            yield problems.invalid(place, f"nothing is logged: {why}", "mend the expression")
