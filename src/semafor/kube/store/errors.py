"""What can go wrong in the store.

StoreError
├── Exists     create: the key is taken
├── Missing    update, delete: no such key
├── Conflict   update, delete: the object is at another version than expected
├── Expired    watch: the log no longer reaches back that far (the API's 410 Gone)
└── Unwritable the disk refused a write; nothing of it took effect
"""


class StoreError(Exception):
    """Any refusal of the store."""


class Exists(StoreError):  # noqa: N818 - a plain word, used qualified: store.Exists
    """The key is taken."""


class Missing(StoreError):  # noqa: N818 - a plain word, used qualified: store.Missing
    """There is no object under the key."""


class Conflict(StoreError):  # noqa: N818 - a plain word, used qualified: store.Conflict
    """The object is at another version than the writer expected."""

    def __init__(self, message: str, *, current: int) -> None:
        super().__init__(message)
        self.current = current


class Expired(StoreError):  # noqa: N818 - a plain word, used qualified: store.Expired
    """Changes after that version are no longer all in the log: list again."""


class Unwritable(StoreError):  # noqa: N818 - a plain word, used qualified: store.Unwritable
    """The disk refused; the write did not take effect, and may be tried again."""
