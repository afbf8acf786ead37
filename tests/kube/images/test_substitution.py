import pytest

from semafor.kube.images.substitution import SubstitutionError, expand, variables_only, words

KNOWN = {"name": "world", "empty": "", "dir": "/a b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello $name", "hello world"),
        ("${name}s", "worlds"),
        ("$missing.", "."),
        (r"\$name", "$name"),
        ("'$name'", "$name"),
        ('"$name"', "world"),
        ("${missing:-none}", "none"),
        ("${missing:-${name}}", "world"),
        ("${empty:-none}", "none"),
        ("${empty-none}", ""),
        ("${name:+yes}", "yes"),
        ("${missing:+yes}", ""),
        ("a$", "a$"),
        ("${name:?needed}", "world"),
    ],
)
def test_variables_are_replaced_as_in_a_shell(text, expected):
    assert expand(text, KNOWN) == expected


def test_words_keep_what_is_quoted_together():
    assert words("A=\"x y\" B='$name' C=$dir D=a\\ b", KNOWN) == ("A=x y", "B=$name", "C=/a b", "D=a b")


def test_documents_keep_their_quotes():
    assert variables_only("\"$name\" 'it''s' \\$name", KNOWN) == "\"world\" 'it''s' $name"


@pytest.mark.parametrize("text", ["${name", "${na me}", "${name#x}", "'open", '"open', "${missing:?needed}"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(SubstitutionError):
        expand(text, KNOWN)
