"""Expressions of strangers: what Python's own library says, and no text that takes for ever."""

import random
import re

import pytest

from semafor.base import regex

_ONES = ["a", "b", "/", ".", "[ab]", "[^a]", r"\d", r"\W", r"\.", "[a-c/]", "[^\\s1]", "^", "$", r"\b", "é"]
_TIMES = ["*", "+", "?", "{1,2}", "{2}", "*?", "{,3}"]


def expression(rng: random.Random, depth: int) -> str:
    inner = [expression(rng, depth - 1) for _ in range(3)] if depth else ["", "", ""]
    every = [inner[0] + inner[1], f"({inner[0]}|{inner[1]})", f"(?:{inner[0]}){rng.choice(_TIMES)}", f"(?i:{inner[0]})"]
    return rng.choice(every) if depth and rng.random() < 0.7 else rng.choice(_ONES)


def test_they_match_what_they_match_elsewhere():
    rng = random.Random(7)
    for said in (expression(rng, 3) for _ in range(1_000)):
        text = "".join(rng.choice("abAé/1. ") for _ in range(rng.randrange(7)))
        known = re.compile(said, re.ASCII)
        wanted = (known.fullmatch(text) is not None, known.search(text) is not None)
        assert (regex.matches(said, text), regex.is_found(said, text)) == wanted, (said, text)


@pytest.mark.parametrize("said", ["(a+)+", "(a|a)*", "(a|aa)+", "(a?){50}" * 2, "(.*a){20}", "(a{1,9}){1,9}"])
def test_no_expression_takes_for_ever(said):
    assert not regex.matches(said, "a" * 200 + "!b")


@pytest.mark.parametrize("said", ["(((((a*)*b?)*c?)*d?)*){1000}", r"(a)\1", "(?=a)a", "a(?<=a)", "(?>a)", "(", "*"])
def test_what_is_not_regular_or_too_much_is_refused(said):
    with pytest.raises(re.error):
        regex.matches(said, "a" * 4_000)
