"""`semafor check-inject`: whether pods get a sidecar, and why or why not."""

from typing import Any

import click

from semafor.app import inject, mesh_config, revisions
from semafor.app.cli import output, workloads
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.resources.admissionregistration import webhooks
from semafor.resources.apps import daemon_set, deployment, stateful_set
from semafor.resources.core import config_map
from semafor.resources.core import namespace as namespaces
from semafor.resources.core import pod as pods

Doc = dict[str, Any]
_HEADER = ("WEBHOOK", "REVISION", "INJECTED", "REASON")
_TEMPLATED = (deployment.KIND, stateful_set.KIND, daemon_set.KIND)


@click.command("check-inject")
@click.argument("name", metavar="[TYPE/]NAME[.NAMESPACE]", required=False)
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("-l", "--labels", default="", help="Look at a pod with these labels, in place of one that exists.")
@output.format_option
def command(name: str | None, namespace: str, labels: str, form: str) -> None:
    """Tell whether a pod gets a sidecar, and why or why not.

    \b
    Example:
      semafor check-inject deploy/model -n demo
      semafor check-inject -n demo -l app=model,version=v3
    """
    api = Api(Home.find())
    pod, where = _pod(api, name, namespace, labels)
    space = api.get(namespaces.KIND, where)
    if space is None:
        raise Failure(f"there is no namespace {where}")
    offer = revisions.offer(api.objects(config_map.KIND, mesh_config.NAMESPACE), api.objects(webhooks.MUTATING))
    found = inject.verdict(pod, space["metadata"].get("labels") or {}, offer)
    row = {"webhook": "semafor", "revision": found.revision, "injected": found.wanted, "reason": found.reason}
    if not output.document(form, row):
        output.table(_HEADER, [("semafor", found.revision, "yes" if found.wanted else "no", found.reason)])


def _pod(api: Api, name: str | None, namespace: str, labels: str) -> tuple[Doc, str]:
    """The pod, or what one would be made of, and its namespace."""
    if name is None:
        pairs = dict(pair.split("=", 1) for pair in labels.split(",") if "=" in pair)
        return {"metadata": {"namespace": namespace, "labels": pairs}, "spec": {"containers": []}}, namespace
    word, slash, own = name.rpartition("/")
    own, namespace = workloads.named(api, own, namespace)
    for kind in (pods.KIND, *_TEMPLATED):
        if slash and word not in workloads.words(kind):
            continue
        if found := api.get(kind, own, namespace):
            return (_without_sidecar(found) if kind is pods.KIND else _template(found)), namespace
    raise Failure(f"the namespace {namespace} has no {name}")


def _template(owner: Doc) -> Doc:
    template = owner["spec"]["template"]
    metadata = {**template.get("metadata", {}), "namespace": owner["metadata"]["namespace"]}
    return {**template, "metadata": metadata}


def _without_sidecar(pod: Doc) -> Doc:
    """The pod as it was before it got its sidecar, so that the question makes sense."""
    spec = pod["spec"]
    kept = {part: [each for each in spec.get(part) or () if each["name"] != inject.CONTAINER] for part in _PARTS}
    return {**pod, "spec": {**spec, **kept}}


_PARTS = ("initContainers", "containers")
