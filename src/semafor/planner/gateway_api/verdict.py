"""What is said of an object in one condition of its status."""

from semafor.base.struct import Value


class Verdict(Value):
    """`reason` is the specification's word, `message` a sentence for people."""

    holds: bool
    reason: str
    message: str


def accepted(message: str) -> Verdict:
    """The object is taken."""
    return Verdict(holds=True, reason="Accepted", message=message)


def resolved() -> Verdict:
    """Every object that is named is there, and may be used."""
    return Verdict(holds=True, reason="ResolvedRefs", message="every reference is resolved")


def refused(reason: str, message: str) -> Verdict:
    """The object, or a part of it, has no effect."""
    return Verdict(holds=False, reason=reason, message=message)
