"""QueryError
ParseError        the query is none: where, and why
ExecutionError    it cannot be answered: series that do not match, too much data
    Timeout       it took too long
"""


class QueryError(Exception):
    """Why a query has no answer."""


class ParseError(QueryError):
    """The text is no query."""

    def __init__(self, message: str, text: str = "", position: int = 0) -> None:
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        super().__init__(f"{line}:{column}: parse error: {message}")


class ExecutionError(QueryError):
    """The query cannot be answered."""


class Timeout(ExecutionError):  # noqa: N818 - as Prometheus calls it
    """The query took too long."""
