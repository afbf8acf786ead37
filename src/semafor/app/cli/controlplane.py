"""`semafor controlplane`: one replica of the control plane of a real Kubernetes cluster."""

import asyncio
import contextlib
import json
import logging
import os
import signal
from pathlib import Path

import click

from semafor.app.cli.output import Failure


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster; without it, that of the own pod.")
@click.option("--context", default="", help="The context of the kubeconfig; its current one unless given.")
@click.option("--namespace", default="istio-system", show_default=True, help="The mesh's own namespace.")
@click.option("--service", default="istiod", show_default=True, help="The name of the Service that leads to it.")
@click.option("--revision", default="default", show_default=True, help="The revision whose proxies it serves.")
@click.option("--proxy-image", default="localhost/semafor/proxyv2:latest", show_default=True,
              help="What injected pods run.")  # fmt: skip
@click.option("--bind", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--host", default="", help="The name under which proxies reach it; that of its Service unless given.")
@click.option("--xds-port", default=15012, show_default=True, help="For Envoys (0: any that is free).")
@click.option("--https-port", default=15017, show_default=True, help="For agents and webhooks.")
@click.option("--monitoring-port", default=15014, show_default=True, help="For probes and metrics, without TLS.")
@click.option("--cache", type=click.Path(path_type=Path), default=Path("/tmp/semafor"), show_default=True,  # noqa: S108
              help="Where Envoy's schema is kept.")  # fmt: skip
def command(*, kubeconfig: Path | None, context: str, **more: object) -> None:
    """Run one replica of the control plane of a Kubernetes cluster, until told to end.

    \b
    Example:
      semafor controlplane --kubeconfig ~/.kube/config
    """
    import uvloop

    from semafor.app import kubeconfig as files
    from semafor.app.cluster.controlplane import ControlPlane, Ports, Settings
    from semafor.cluster import access

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it says each request
    try:
        known = (
            access.of(files.read(kubeconfig), context, kubeconfig.parent)
            if kubeconfig
            else access.in_cluster(os.environ)
        )
    except access.AccessError as error:
        raise Failure(str(error)) from error

    def ready(ports: Ports) -> None:
        print(json.dumps({"xds": ports.xds, "https": ports.https, "monitoring": ports.monitoring}), flush=True)

    async def live() -> None:
        running = asyncio.ensure_future(ControlPlane(known, Settings(**more)).run(ready))  # type: ignore[arg-type]
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running

    uvloop.run(live())
