import pytest

from semafor.kube.images.dockerfile import Heredoc, Instruction, parse
from semafor.kube.images.errors import DockerfileError

GUIDE = """# service-1/Dockerfile
FROM python:3.9-slim

WORKDIR /app

# Устанавливаем зависимости
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt

# Запускаем сервис
CMD ["python", "app.py"]
"""


def test_the_guides_file_is_read_with_its_lines():
    assert [(i.line, i.keyword, i.text) for i in parse(GUIDE)] == [
        (2, "FROM", "python:3.9-slim"),
        (4, "WORKDIR", "/app"),
        (7, "COPY", "requirements.txt ."),
        (8, "RUN", "pip install --no-cache-dir -r requirements.txt"),
        (11, "CMD", '["python", "app.py"]'),
    ]


def test_a_json_list_is_the_exec_form():
    assert parse('FROM x\nCMD ["a", "b c"]')[1] == Instruction(
        line=2, keyword="CMD", text='["a", "b c"]', words=("a", "b c"), exec=True
    )


def test_continued_lines_are_joined_and_comments_between_them_dropped():
    text = "FROM x\nRUN one && \\\n  # why\n\n  two \\\n\n  && three\nENV A=1"
    assert [(i.line, i.text) for i in parse(text)] == [(1, "x"), (2, "one &&   two   && three"), (8, "A=1")]


def test_a_directive_changes_the_continuation_character():
    text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM x\nRUN dir c:\\ `\n && b"
    assert parse(text)[1].text == "dir c:\\  && b"


def test_flags_are_taken_apart():
    copy = parse("FROM x\nCOPY --from=build --chown=app:app /a /b")[1]
    assert (copy.flags, copy.text) == ((("from", "build"), ("chown", "app:app")), "/a /b")


def test_a_heredoc_is_kept_as_it_is():
    run = parse("FROM x\nRUN <<-'EOF'\n\t# no comment here\n\techo $HOME \\\n\tEOF\nUSER me")
    assert run[1].heredocs == (Heredoc(name="EOF", body="# no comment here\necho $HOME \\\n", expand=False),)
    assert run[2].text == "me"


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_it():
    assert [i.text for i in parse("\ufeffFROM x\r\nCMD a\r\n")] == ["x", "a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM x\nFORM y", "Dockerfile:2: unknown instruction FORM"),
        ("FROM x\n\nONBUILD RUN y", "Dockerfile:3: ONBUILD is not supported"),
        ("FROM x\nCOPY --parents a b", "Dockerfile:2: COPY --parents is not supported"),
        ("FROM x\nRUN", "Dockerfile:2: RUN needs an argument"),
        ("FROM x\nCMD ['a', 'b']", "use double quotes"),
        ("FROM x\nRUN <<EOF\necho", "has no end"),
        ("FROM x\nCMD [1]", "must be a list of strings"),
        ("# only a comment", "no FROM"),
        ("", "no FROM"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(text, message):
    with pytest.raises(DockerfileError) as error:
        parse(text)
    assert message in str(error.value)
