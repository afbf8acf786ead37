"""Typed views of documents: lenient about what they do not know, exact about what is wrong."""

from typing import Any

import pytest

from semafor.resources import DecodeError, decode, registry
from semafor.resources.istio.virtual_service import KIND as VIRTUAL_SERVICE

TELEMETRY = registry.by_kind("telemetry.istio.io", "Telemetry")
assert TELEMETRY is not None


def view(spec: dict[str, Any]) -> Any:
    return decode(VIRTUAL_SERVICE, {"metadata": {"name": "v"}, "spec": spec}).spec  # type: ignore[attr-defined]


def test_unknown_fields_and_nulls_are_passed_over() -> None:
    spec = view(
        {"hosts": ["a"], "http": [{"timeout": None, "new": 1, "route": [{"destination": {"host": "b"}}]}], "tcp": None}
    )
    route = spec.http[0]
    assert (route.timeout, route.route[0].destination.host, route.route[0].weight, spec.tcp) == (None, "b", 0, ())


def test_a_wrong_word_with_a_known_meaning_is_read_as_meant() -> None:
    metrics = [{"overrides": [{"match": {"metric": "REQUEST_COUNT", "mode": "SERVER_AND_CLIENT"}}]}]
    telemetry: Any = decode(TELEMETRY, {"spec": {"metrics": metrics}})
    assert telemetry.spec.metrics[0].overrides[0].match.mode == "CLIENT_AND_SERVER"


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"hosts": "a"}, "spec.hosts", "Expected `array`, got `str`"),
        ({"http": [{}, {"route": [{}]}]}, "spec.http[1].route[0]", "Object missing required field `destination`"),
        ({"http": [{"timeout": 5}]}, "spec.http[0].timeout", "Expected `str | null`, got `int`"),
    ],
)
def test_the_first_wrong_field_is_named(spec: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        view(spec)
    assert (caught.value.path, caught.value.message) == (path, message)
