"""Parts of the mesh configuration that are more than one word: what holds where no DestinationRule says otherwise."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import msgspec

from semafor.ir import RetryBudget
from semafor.ir.listener import PathNormalization
from semafor.planner.telemetry import formats
from semafor.planner.traffic import locality as localities
from semafor.planner.traffic import policy
from semafor.planner.traffic.locality import LocalitySetting
from semafor.resources.istio import destination_rule, load_balancer

_PATHS: Mapping[str, PathNormalization] = {
    "DEFAULT": "base",
    "NONE": "none",
    "BASE": "base",
    "MERGE_SLASHES": "merge_slashes",
    "DECODE_AND_MERGE_SLASHES": "decode_and_merge_slashes",
}
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")


def locality(written: Any) -> LocalitySetting:
    """The mesh's localityLbSetting. Raises ValueError."""
    return localities.read(_typed(written, load_balancer.LocalityLoadBalancerSetting)) or localities.DEFAULT


def retry_budget(written: Any) -> RetryBudget | None:
    """The budget in the words of DestinationRules, or None for `none`: any number of retries. Raises ValueError."""
    if written == "none":
        return None
    return policy.budget(_typed(written, destination_rule.RetryBudget))


def paths(written: Any) -> PathNormalization:
    """One of Istio's words for it. Raises ValueError."""
    if written not in _PATHS:
        raise ValueError(f"it has to be one of {', '.join(_PATHS)}")
    return _PATHS[written]


def trust_domain(written: Any) -> str:
    """Raises ValueError. Source: SPIFFE ID, section 2.1."""
    if not isinstance(written, str) or not _TRUST_DOMAIN.fullmatch(written):
        raise ValueError(f"{written!r} is no trust domain: write lower-case letters, digits, dots, dashes, underscores")
    return written


def trust_domains(written: Any) -> tuple[str, ...]:
    """Raises ValueError."""
    if not isinstance(written, list):
        raise ValueError("write a list")
    return tuple(trust_domain(each) for each in written)


def networks(written: Any) -> tuple[str, ...]:
    """Raises ValueError."""
    if not isinstance(written, list) or not all(isinstance(each, str) for each in written):
        raise ValueError("write a list of networks, such as 10.0.0.0/8")
    return tuple(str(ip_network(each, strict=False)) for each in written)


def _typed(written: Any, type_: type[Any]) -> Any:
    known = {field.encode_name for field in msgspec.structs.fields(type_)}
    if isinstance(written, dict) and (stray := sorted(set(written) - known)):
        raise ValueError(f"{stray[0]} is not known here; known are {', '.join(sorted(known))}")
    return msgspec.convert(written, type_)


def log_format(written: Any) -> str:
    """A format of access logs that Envoy takes. Raises ValueError."""
    if not isinstance(written, str):
        raise ValueError("a text is expected")
    formats.check(written)
    return written


def switch(value: Any) -> bool:
    """Whether it is on."""
    if not isinstance(value, bool):
        raise ValueError("it has to be true or false")
    return value


def share(written: Any) -> float:
    """A share in per cent. Raises ValueError."""
    if isinstance(written, bool) or not isinstance(written, int | float) or not 0 <= written <= 100:
        raise ValueError("a number from 0 to 100 is expected")
    return float(written)
