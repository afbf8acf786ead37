import re

import pytest

from semafor.planner.routes.http_match import regex_error


@pytest.mark.parametrize(
    "regex", [".*Android.*|.*iPhone.*", "/r[0-9]+", r"a\.b", "(?i)x", "a+?", "(?P<name>x)", "[+*]+"]
)
def test_expressions_that_re2_takes_are_taken(regex):
    re.compile(regex)
    assert regex_error(regex) == ""


@pytest.mark.parametrize("regex", ["(", "a(?=b)", "(?<!a)b", r"(a)\1", "a++", "[z-a]", "*"])
def test_expressions_that_re2_refuses_are_refused(regex):
    assert regex_error(regex)
