"""`semafor kubeconfig`: a configuration for kubectl, the administrator's or somebody else's by certificate."""

import base64
import sys
from pathlib import Path
from typing import Any

import click
import yaml

from semafor.app import kubeconfig
from semafor.app.cli import output
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.ca import clients, keys
from semafor.resources.certificates import certificate_signing_request as requests

Document = dict[str, Any]
_WAIT_S = 60.0
_DAY_S = 24 * 3600


@click.command()
@click.option("--user", metavar="NAME", help="Whom RBAC is to know; without it, the administrator.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="A group of the user; may be repeated.")
@click.option("--days", default=365, type=click.IntRange(1, 365), help="How long the certificate is valid.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file to write, for its owner alone.")
def command(*, user: str | None, groups: tuple[str, ...], days: int, out: Path | None) -> None:
    """Print a configuration for kubectl: the administrator's, or a user's with a client certificate.

    The user may do nothing until a RoleBinding or ClusterRoleBinding names it, or one of its groups. The certificate
    cannot be taken back: what it may do can.

    \b
    Example:
      semafor kubeconfig --user jane --group devs --out jane.kubeconfig
      kubectl create rolebinding devs --clusterrole=view --group=devs
      kubectl --kubeconfig jane.kubeconfig get pods
    """
    home = Home.find()
    if groups and not user:
        raise click.UsageError("--group needs --user")
    api = Api(home)
    config = kubeconfig.read(home.kubeconfig)
    if user:
        config = of_user(config, user, _signed_in(api, clients.Client(user, groups), days))
    if out is None:
        print(yaml.safe_dump(config, sort_keys=False), end="")
        return
    kubeconfig.write(out, config)
    print(f"{out} is written; to use it: kubectl --kubeconfig {out} ...", file=sys.stderr)


def of_user(config: Document, user: str, credentials: Document) -> Document:
    """The configuration with another user in the place of the administrator."""
    cluster = config["clusters"][0]["name"]
    name = f"{cluster}-{user}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": config["clusters"],
        "users": [{"name": name, "user": credentials}],
        "contexts": [{"name": name, "context": {"cluster": cluster, "user": name}}],
        "current-context": name,
    }


def _signed_in(api: Api, client: clients.Client, days: int) -> Document:
    """A key that is made here, and the certificate that the API's signer makes for it."""
    key = keys.generate()
    request = base64.b64encode(clients.request(key, client)).decode()
    spec = {"request": request, "signerName": requests.CLIENT_SIGNER, "usages": [requests.CLIENT_AUTH]}
    spec |= {"expirationSeconds": days * _DAY_S}  # type: ignore[dict-item]
    kind = requests.KIND
    metadata = {"generateName": "semafor-kubeconfig-"}
    made = api.create(kind, {"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata, "spec": spec})
    name = made["metadata"]["name"]
    said = {"type": requests.APPROVED, "status": "True", "reason": "SemaforKubeconfig", "message": "asked for by hand"}
    api.update(kind, {**made, "status": {"conditions": [said]}}, subresource="approval")
    with output.waiting("signing"):
        api.wait(lambda: _missing(api, name), timeout_s=_WAIT_S, what="the certificate")
    certificate = _found(api, name)["status"]["certificate"]
    return {"client-certificate-data": certificate, "client-key-data": base64.b64encode(key.pem).decode()}


def _missing(api: Api, name: str) -> str:
    found = _found(api, name)
    if requests.has(found, requests.FAILED):
        raise Failure(f"the request {name} was refused: {found['status']['conditions'][-1]['message']}")
    return "" if (found.get("status") or {}).get("certificate") else "it is not signed yet"


def _found(api: Api, name: str) -> Document:
    found = api.get(requests.KIND, name)
    if found is None:
        raise Failure(f"the request {name} is gone", "try again")
    return found
