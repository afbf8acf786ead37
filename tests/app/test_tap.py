"""What Envoy is asked for a tap, and what is refused before."""

import json

import pytest

from semafor.app.questions import tap
from semafor.kube.api.errors import StatusError


def asked(**wanted):
    return tap.request(tap.parse(json.dumps(wanted).encode()))


def test_everything_is_told_when_nothing_is_chosen():
    made = asked()
    assert (made["config_id"], made["tap_config"]["match_config"]) == ("inbound", {"any_match": True})
    assert made["tap_config"]["output_config"]["max_buffered_rx_bytes"] == 0


def test_what_is_chosen_has_all_to_be_so():
    made = asked(direction="outbound", method="get", path="/v1", status="5xx", headers={"X-User": "jason"})
    of_request = [
        {"name": ":method", "string_match": {"exact": "GET"}},
        {"name": ":path", "string_match": {"prefix": "/v1"}},
        {"name": "x-user", "string_match": {"exact": "jason"}},
    ]
    rules = [
        {"http_request_headers_match": {"headers": of_request}},
        {"http_response_headers_match": {"headers": [{"name": ":status", "string_match": {"prefix": "5"}}]}},
    ]
    assert made["tap_config"]["match_config"] == {"and_match": {"rules": rules}}


@pytest.mark.parametrize("wrong", [b"{", b'{"statuss": "1"}', b'{"status": "6xx"}', b'{"body_bytes": 99999999}'])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(StatusError):
        tap.parse(wrong)
