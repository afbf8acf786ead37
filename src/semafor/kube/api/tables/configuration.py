"""ConfigMap, Secret, ServiceAccount, LimitRange. Source: printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import Cell, Printer, column, header, meta

Doc = dict[str, Any]


def _age(obj: Doc, now: datetime) -> str:
    return ages.since(meta(obj).get("creationTimestamp"), now)


def _config_map(obj: Doc, now: datetime) -> Sequence[Cell]:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return (meta(obj)["name"], count, _age(obj, now))


CONFIG_MAP = Printer(columns=(column("Name"), column("Data", "integer"), column("Age")), row=_config_map)


def _secret(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], obj.get("type") or "", len(obj.get("data") or {}), _age(obj, now))


SECRET = Printer(columns=(*header("Name", "Type"), column("Data", "integer"), column("Age")), row=_secret)


def _service_account(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], len(obj.get("secrets") or []), _age(obj, now))


SERVICE_ACCOUNT = Printer(columns=(column("Name"), column("Secrets", "integer"), column("Age")), row=_service_account)


def _limit_range(obj: Doc, _: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], meta(obj).get("creationTimestamp") or "")


LIMIT_RANGE = Printer(columns=header("Name", "Created At"), row=_limit_range)
