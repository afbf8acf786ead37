"""Lists of strategic merge: union, removal, and the order of what several hands have put together.

Elements are told apart by tokens, so that everything here takes linear time.
"""

import json
from collections import deque
from typing import Any

from semafor.kube.api.patch.documents import brief
from semafor.kube.api.patch.errors import MalformedError

_DIRECTIVE = "$patch"


def token(item: Any, key: str | None) -> str | None:
    """What makes an element this one: its merge key, or its whole value when there is no key; None without the key."""
    if key is not None and (not isinstance(item, dict) or key not in item):
        return None
    return json.dumps(item if key is None else item[key], sort_keys=True)


def united(current: list[Any], added: list[Any]) -> list[Any]:
    """Both lists of scalars without repetitions; the first place of a value counts."""
    found: dict[str | None, Any] = {}
    for item in (*current, *added):
        found.setdefault(token(item, None), item)
    return list(found.values())


def without(current: list[Any], gone: list[Any]) -> list[Any]:
    """The list without the values of `gone`."""
    tokens = {token(item, None) for item in gone}
    return [item for item in current if token(item, None) not in tokens]


def ordered(merged: list[Any], *, by: list[Any], server: list[Any], key: str | None) -> list[Any]:
    """Put the elements that `by` names in its order, and weave the others in at the places they have on the server.

    The relative order within either group always holds; the server's order decides only between the groups.
    """
    wanted, served = _places(by, key), _places(server, key)
    named = deque(sorted((item for item in merged if token(item, key) in wanted), key=lambda i: wanted[token(i, key)]))
    others = deque(item for item in merged if token(item, key) not in wanted)
    woven: list[Any] = []
    while named and others:
        left, right = served.get(token(others[0], key), -1), served.get(token(named[0], key), -1)
        woven.append(others.popleft() if 0 <= left < right else named.popleft())
    return [*woven, *named, *others]


def require_consistent(name: str, patch: list[Any], order: Any, key: str | None) -> None:
    """Refuse a patch whose elements come in another order than its own `$setElementOrder` says."""
    if not isinstance(order, list):
        raise MalformedError(f"$setElementOrder/{name} must be a list, not {brief(order)}")
    kept = [item for item in patch if not (isinstance(item, dict) and _DIRECTIVE in item)]
    wanted = _places(order, key)
    places = [wanted.get(token(item, key), -1) for item in kept]
    if -1 in places or places != sorted(places):
        raise MalformedError(
            f"The order in patch list:\n{brief(kept)}\n doesn't match $setElementOrder list:\n{brief(order)}\n"
        )


def _places(items: list[Any], key: str | None) -> dict[str | None, int]:
    """Where each element stands first; elements without the key stand nowhere."""
    places = {token(item, key): at for at, item in reversed(list(enumerate(items)))}
    places.pop(None, None)
    return places
