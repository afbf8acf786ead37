"""What the API is given: who may come in, who has a say in writes, and what it says of itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from starlette.routing import BaseRoute

from semafor.base.struct import Value
from semafor.kube.api.node import Node
from semafor.resources.kind import Kind

ADMINS = "system:masters"


class User(Value):
    """Who asks. Members of the group `system:masters` may do everything; all others what RBAC objects grant."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def is_admin(self) -> bool:
        return ADMINS in self.groups


ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))
SEMAFOR = User(name="system:semafor", groups=(ADMINS, "system:authenticated"))


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """A write that is about to happen. `new` is complete with defaults (None for DELETE), `old` is None for CREATE."""

    operation: Literal["CREATE", "UPDATE", "DELETE"]
    kind: Kind
    namespace: str
    name: str
    new: dict[str, Any] | None
    old: dict[str, Any] | None
    dry_run: bool
    user: User


@dataclass(frozen=True, slots=True)
class Admitted:
    """The object as it shall be stored (for DELETE: anything), and what kubectl shall warn of."""

    obj: dict[str, Any]
    warnings: tuple[str, ...] = ()


class Admission(Protocol):
    """A hook on writes of main resources, not of subresources. Hooks run in order; each sees the last one's object."""

    async def admit(self, request: AdmissionRequest) -> Admitted:
        """Let the write pass, changed or not, or raise StatusError. Never change `request.new` in place."""


class VersionInfo(Value):
    """What GET /version says. kubectl compares `git_version` with its own and warns when they are far apart."""

    git_version: str = "v1.32.0+semafor"
    major: str = "1"
    minor: str = "32"
    git_commit: str = ""
    build_date: str = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class TokenAsk:
    """A token to be made for a service account, bound to a pod when `bound` is set."""

    namespace: str
    service_account: str
    service_account_uid: str
    audiences: tuple[str, ...]
    lifetime_s: int
    bound: dict[str, Any] | None = None


class Reviewed(Value):
    """Whose a token is, and for which of the audiences that were asked about it is meant."""

    user: User
    audiences: tuple[str, ...]


Authenticate = Callable[[str], User | None]
Recognize = Callable[[bytes], User | None]
Review = Callable[[str, tuple[str, ...]], Reviewed | None]  # a token, and for whom it should be meant
Mint = Callable[[TokenAsk], str]


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that `server.app` needs beside the objects themselves.

    `authenticate` turns a bearer token into a user, or None; `recognize` a client certificate (DER), with which TLS was
    content; `review` is what TokenReview asks. `mint` makes
    service-account tokens; without it the token subresource answers 503. Without `node` there are no logs, exec,
    attach and port-forward. `ready` is asked by /readyz. `further` are routes of others, behind the same gate.
    """

    authenticate: Authenticate
    recognize: Recognize | None = None
    review: Review | None = None
    mint: Mint | None = None
    node: Node | None = None
    version: VersionInfo = field(default_factory=VersionInfo)
    ready: Callable[[], Awaitable[bool]] | None = None
    further: tuple[BaseRoute, ...] = ()
