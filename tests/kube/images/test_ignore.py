import pytest

from semafor.kube.images.ignore import ignored, rules

RULES = rules("""
# what builds do not need
*.log
**/__pycache__
docs/
!docs/README.md
secret-?.txt
[ab].txt
/top
a/**/z
""")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x.log", True),
        ("sub/x.log", False),
        ("__pycache__", True),
        ("a/b/__pycache__/c.pyc", True),
        ("docs", True),
        ("docs/guide.md", True),
        ("docs/README.md", False),
        ("secret-1.txt", True),
        ("secret-10.txt", False),
        ("a.txt", True),
        ("c.txt", False),
        ("top", True),
        ("a/z", True),
        ("a/b/c/z", True),
        ("app.py", False),
    ],
)
def test_the_last_rule_that_matches_decides(path, expected):
    assert ignored(path, RULES) is expected
