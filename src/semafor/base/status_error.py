"""A refusal of the Kubernetes API, the embedded one's or a real one's."""

from typing import Any


class StatusError(Exception):
    """A refusal, carrying the metav1.Status that the client gets."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.tells_details = details is not None

    @property
    def status(self) -> dict[str, Any]:
        """The metav1.Status document."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **({"details": self.details} if self.details or self.tells_details else {}),
            "code": self.code,
        }
