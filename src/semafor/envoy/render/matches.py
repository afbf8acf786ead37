"""ir.RouteMatch and its tests -> envoy.config.route.v3.RouteMatch."""

from semafor import ir
from semafor.envoy.render import claims
from semafor.envoy.render.shape import Fields, percent, wrap

_ANYTHING = ir.StringMatch(kind="regex", value=".*")


def route_match(node: ir.RouteMatch) -> Fields:
    fields = _path(node.path)
    if node.path.ignore_case:
        fields["case_sensitive"] = wrap(False)  # noqa: FBT003 a wrapped value
    if headers := [_header(header) for header in node.headers if not header.claim]:
        fields["headers"] = headers
    if tested := [_claim(header) for header in node.headers if header.claim]:
        fields["dynamic_metadata"] = tested
    if node.query:
        fields["query_parameters"] = [_query(query) for query in node.query]
    if node.percent != 100.0:
        fields["runtime_fraction"] = {"default_value": percent(node.percent)}
    return fields


def string(node: ir.StringMatch) -> Fields:
    """A StringMatcher. Its `ignore_case` does not reach regular expressions, which have a flag of their own."""
    if node.kind == "regex":
        return {"safe_regex": {"regex": f"(?i){node.value}" if node.ignore_case else node.value}}
    return {node.kind: node.value, "ignore_case": node.ignore_case}


def _path(node: ir.PathMatch) -> Fields:
    match node.kind:
        case "exact":
            return {"path": node.value}
        case "prefix":
            return {"prefix": node.value}
        case "segment_prefix":
            segments = node.value.rstrip("/")
            return {"path_separated_prefix": segments} if segments else {"prefix": "/"}
        case "regex":
            return {"safe_regex": {"regex": f"(?i){node.value}" if node.ignore_case else node.value}}


def _header(node: ir.HeaderMatch) -> Fields:
    fields: Fields = {"name": node.name, "invert_match": node.inverted}
    if node.missing_as_empty:
        fields["treat_missing_header_as_empty"] = True
    if node.value is None:
        return {**fields, "present_match": True}
    return {**fields, "string_match": string(node.value)}


def _claim(node: ir.HeaderMatch) -> Fields:
    """A claim that is the text, or a list with it."""
    text: Fields = {"string_match": string(node.value or _ANYTHING)}
    either = {"or_match": {"value_matchers": [text, {"list_match": {"one_of": text}}]}}
    path = [{"key": key} for key in (claims.KEY, *node.claim)]
    return {"filter": claims.FILTER, "path": path, "value": either, "invert": node.inverted}


def _query(node: ir.QueryMatch) -> Fields:
    if node.value is None:
        return {"name": node.name, "present_match": True}
    return {"name": node.name, "string_match": string(node.value)}
