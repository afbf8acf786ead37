"""Writing an IstioOperator, and waiting until it is carried out."""

from typing import Any

from semafor.app import installing
from semafor.app.cli import output
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.installation import spec
from semafor.resources.install import istio_operator

Doc = dict[str, Any]

_WORDS = {
    "Pilot": "control plane",
    "IngressGateways": "ingress gateways",
    "EgressGateways": "egress gateways",
    "Base": "definitions",
}


def stored(api: Api, revision: str = "") -> Doc | None:
    """The IstioOperator that these commands write; None when there is none."""
    return api.get(istio_operator.KIND, spec.owner(revision), spec.NAMESPACE)


def others(api: Api, revision: str) -> list[Doc]:
    """The IstioOperators of the revision that users have written: they come on top."""
    found = api.objects(istio_operator.KIND)
    mine = (spec.NAMESPACE, spec.owner(revision))
    return [
        each
        for each in found
        if spec.revision(each.get("spec") or {}) == revision
        and (each["metadata"]["namespace"], each["metadata"]["name"]) != mine
    ]


def carry_out(api: Api, wanted: Doc, *, timeout_s: float) -> None:
    """Write the spec, and tell of each component when it is there. Raises Failure."""
    revision = spec.revision(wanted)
    written = api.put(istio_operator.KIND, installing.operator(wanted, revision))
    generation = written["metadata"].get("generation", 1)
    said: list[str] = []

    def missing() -> str:
        status = (stored(api, revision) or {}).get("status") or {}
        if status.get("observedGeneration") != generation:
            return "the installation is not looked at yet"
        if status["status"] == installing.ERROR:
            raise Failure(status.get("message", "the installation cannot be carried out"))
        states = {name: one["status"] for name, one in (status.get("componentStatus") or {}).items()}
        for name, state in states.items():
            if state == installing.HEALTHY and name not in said:
                said.append(name)
                print(f"✔ {_WORDS[name]} installed", flush=True)
        waiting = [_WORDS[name] for name, state in states.items() if state != installing.HEALTHY]
        return f"waiting for {', '.join(waiting)}" if waiting else ""

    with output.waiting("installing"):
        api.wait(missing, timeout_s=timeout_s, what="the installation")
    for other in others(api, revision):
        metadata = other["metadata"]
        name = f"{metadata['namespace']}/{metadata['name']}"
        output.note(
            f"note: IstioOperator {name} is part of this installation, and wins over it; to be rid of it: "
            f"kubectl delete istiooperator {metadata['name']} -n {metadata['namespace']}"
        )
