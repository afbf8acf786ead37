"""The same commands for a Kubernetes cluster: which one is said by --kubeconfig or --context."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from semafor.app import kubeconfig
from semafor.app.cli import output
from semafor.app.cli.installing import asked, manifest
from semafor.app.cli.output import Failure
from semafor.app.cluster.installer import Installer, NotInstalled
from semafor.base.status_error import StatusError
from semafor.cluster import access
from semafor.cluster.api import Api
from semafor.installation import Installation, cluster, merge, spec

Doc = dict[str, Any]
_C = TypeVar("_C", bound=Callable[..., Any])
_T = TypeVar("_T")
_USUAL = "default"


@dataclass(frozen=True)
class Cluster:
    """A context of a kubeconfig; both empty: no cluster is meant, but this machine."""

    file: Path | None
    context: str

    def __bool__(self) -> bool:
        return bool(self.file or self.context)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """`--kubeconfig` and `--context`, as one argument `where`."""

    @functools.wraps(command)
    def given(*, file: Path | None, context: str, **more: Any) -> None:
        command(where=Cluster(file, context), **more)

    return _asking(given)


def _asking(command: _C) -> _C:
    command = click.option("--context", default="", help="Into this context's cluster, not on this machine.")(command)
    return click.option("--kubeconfig", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                        help="Into the cluster of this file, not on this machine.")(command)  # fmt: skip


def install(where: Cluster, wanted: Doc, *, on_top: bool, skip: bool, dry_run: bool, timeout_s: float) -> None:
    """Install what is wanted; `on_top` of what is installed, if it is an upgrade. Raises Failure."""

    async def work(installer: Installer) -> None:
        known = (await installer.stored(spec.revision(wanted)) or {}).get("spec") or {}
        profile = {"profile": known.get("profile", _USUAL)} if not spec.revision(wanted) else {}
        full = merge.overlay(known if on_top else profile, wanted)
        made = asked.checked(full, "cluster")
        if dry_run:
            print(f"This would install {_described(made)} into {where.context or 'the cluster'}.")
            return
        question = f"This will install {_described(made)} into {where.context or 'the cluster'}. Proceed?"
        asked.confirm(question, skip=skip)
        rendered = manifest.rendered(made, cluster.CHARTS)
        with output.waiting("installing"):
            await installer.install(rendered, full, timeout_s)
        print(f"The mesh is installed ({_described(made)}).")

    _run(where, work)


def uninstall(where: Cluster, revision: str | None, *, skip: bool) -> None:
    """Take a revision away, or all (None). Raises Failure."""

    async def work(installer: Installer) -> None:
        name = "every revision" if revision is None else f"the revision {revision or 'default'}"
        asked.confirm(f"{name} goes from {where.context or 'the cluster'}; pods keep sidecars. Proceed?", skip=skip)
        gone = await installer.uninstall(revision)
        if not gone:
            raise Failure(f"nothing of {name} is installed", "what there is: kubectl get istiooperators -A")
        print("\n".join(f"  {each} is gone" for each in gone))
        print("✔ Uninstall complete; definitions and rules stay")

    _run(where, work)


def _described(made: Installation) -> str:
    name = f"revision {made.revision}" if made.revision else f"profile {made.profile}"
    return f"{name} with {', '.join(part.name for part in made.components if part.kind != 'base')}"


def _run(where: Cluster, work: Callable[[Installer], Awaitable[_T]]) -> _T:
    async def connected() -> _T:
        server = Api(_access(where))
        try:
            installer = Installer(server, lambda text: print(f"✔ {text}", flush=True))
            await installer.check()
            return await work(installer)
        finally:
            await server.close()

    try:
        return asyncio.run(connected())
    except (access.AccessError, NotInstalled) as error:
        raise Failure(str(error)) from error
    except StatusError as error:
        fix = "the account must be an administrator of the cluster" if error.code in (401, 403) else ""
        raise Failure(error.message, fix) from error


def _access(where: Cluster) -> access.Access:
    file = where.file or kubeconfig.user_file()
    try:
        return access.of(kubeconfig.read(file), where.context, file.parent)
    except ValueError as error:
        raise Failure(str(error)) from error
