"""The table of Istio's and Kiali's messages says what the code does."""

import re
from pathlib import Path

import pytest
from tests.app.broken.cases import CASES

from semafor.app.analysis import codes

TABLE = Path(__file__).parents[2] / "docs" / "analyzers.md"
ROW = re.compile(r"\| ((?:IST|KIA)\d{4}) \| ([^|]+) \| (yes|no) \| ([^|]+) \|")
RETIRED = {104, 105, 114, 115, 117, 120, 121, 124}


@pytest.fixture(scope="module")
def rows():
    return {code: (here, how) for code, _, here, how in ROW.findall(TABLE.read_text())}


def known_codes():
    return set(re.findall(r'"((?:IST|KIA)\d{4})"', Path(codes.__file__).read_text()))


def test_every_message_of_istio_has_a_row(rows):
    wanted = {f"IST{number:04}" for number in (1, 2, *range(101, 178)) if number not in RETIRED}
    assert wanted <= rows.keys()


def test_what_has_a_code_here_is_in_the_table_as_told(rows):
    assert {code for code in known_codes() if rows.get(code, ("no", ""))[0] != "yes"} == set()


def test_what_is_told_under_its_own_code_has_one_here(rows):
    own = {code for code, (here, how) in rows.items() if here == "yes" and how == f"told as {code}"}
    assert own <= known_codes()


def test_what_is_told_with_another_code_names_one_that_is_told(rows):
    named = {code for here, how in rows.values() if here == "yes" for code in re.findall(r"(?:IST|KIA)\d{4}", how)}
    assert named <= known_codes()


def test_what_a_case_expects_is_in_the_table(rows):
    expected = {case.code for case in CASES if re.fullmatch(r"(IST|KIA)\d{4}", case.code)}
    assert {code for code in expected if rows[code][0] != "yes"} == set()
