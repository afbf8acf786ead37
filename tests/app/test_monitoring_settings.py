"""How often metrics are read and how long they are kept is the user's to say."""

import pytest

from semafor.app.monitoring import settings
from semafor.app.monitoring.settings import Settings


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, Settings(5.0, 21_600.0)),
        ({"scrapeInterval": "15s"}, Settings(15.0, 21_600.0)),
        ({"window": "2d", "scrapeInterval": "1m30s"}, Settings(90.0, 172_800.0)),
    ],
)
def test_what_is_said_counts(data, expected):
    assert settings.read(data) == (expected, ())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"window": "1s"}, "data.window: it must be a duration from 300 to 2.592e+06 seconds; '1s' is passed over"),
        ({"scrapeInterval": "often"}, "data.scrapeInterval: it must be a duration from 1 to 3600 seconds"),
        ({"retention": "1h"}, "data.retention: there is no such field"),
    ],
)
def test_what_is_not_understood_is_named_and_passed_over(data, why):
    found, (wrong,) = settings.read(data)
    assert found == Settings()
    assert why in wrong


def test_an_answer_has_less_time_than_there_is_until_the_next():
    assert Settings(1.0).timeout_s < 1.0
    assert Settings(3600.0).timeout_s == 10.0
