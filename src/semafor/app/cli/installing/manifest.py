"""`semafor manifest`: the objects that an installation consists of."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

import semafor
from semafor import installation
from semafor.app.cli.installing import asked, shown
from semafor.app.cli.output import Failure
from semafor.installation import Chart, Installation, chart, cluster, diff, machine, parts, paths, spec

Doc = dict[str, Any]


@click.group()
def command() -> None:
    """Show the objects that an installation consists of, and how two of them differ."""


@command.command("generate")
@asked.options
@click.option("--home", type=click.Choice(("machine", "cluster")), default="machine", show_default=True,
              help="Where it is to run: on one machine, or in a Kubernetes cluster.")  # fmt: skip
@click.option("--component", "components", multiple=True, metavar="NAME",
              help="Only these: Pilot, IngressGateways, EgressGateways.")  # fmt: skip
def generate(
    *, names: tuple[str, ...], settings: tuple[str, ...], revision: str, home: spec.Home, components: tuple[str, ...]
) -> None:
    """Print the objects as YAML. No mesh has to run.

    \b
    Example:
      semafor manifest generate --set profile=minimal
      semafor manifest generate -f install.yaml --component IngressGateways
      semafor manifest generate --home cluster | kubectl apply --server-side -f -
    """
    charts = {"machine": machine.CHARTS, "cluster": cluster.CHARTS}[home]
    for part in rendered(asked.checked(asked.asked(names, settings, revision), home), charts):
        if not components or part.word in components:
            for document in part.documents:
                print("---")
                print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), end="")


def rendered(made: Installation, charts: Mapping[str, Chart] = machine.CHARTS) -> tuple[parts.Part, ...]:
    """The objects of the installation. Raises Failure."""
    try:
        return installation.render(made, charts)
    except paths.WrongPath as error:
        raise Failure(f"an overlay leads nowhere: {error}") from error


@command.command("chart")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def write_chart(folder: Path) -> None:
    """Write the objects of a Kubernetes cluster as a Helm chart, whose values are an IstioOperator's.

    It knows hub, tag, revision, meshConfig and values; for all other keys there are `semafor install --context` and
    `manifest generate`.

    \b
    Example:
      semafor manifest chart ./semafor-chart
      helm install semafor ./semafor-chart -n istio-system --create-namespace --set hub=registry.example.com/semafor
    """
    if folder.exists() and any(folder.iterdir()):
        raise Failure(f"{folder} is not empty", "name a folder that is new")
    for name, text in chart.files(semafor.__version__).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{folder} is a Helm chart: helm install semafor {folder} -n istio-system --create-namespace")


@command.command("diff")
@click.argument("before", type=click.Path(exists=True))
@click.argument("after", type=click.Path(exists=True))
def difference(before: str, after: str) -> None:
    """Tell how the objects in two files or folders differ. Ends with 1 when they do.

    \b
    Example:
      semafor manifest generate --set profile=demo > demo.yaml
      semafor manifest generate --set profile=minimal > minimal.yaml
      semafor manifest diff demo.yaml minimal.yaml
    """
    found = tuple(diff.objects(_objects(Path(before)), _objects(Path(after))))
    shown.show(found)
    if found:
        sys.exit(1)
    print("The objects are the same.")


def _objects(path: Path) -> list[Doc]:
    """The objects in the file, or in all YAML files of the folder."""
    every = sorted(each for each in path.rglob("*") if each.suffix in {".yaml", ".yml"}) if path.is_dir() else [path]
    made: list[Doc] = []
    for file in every:
        try:
            made += [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if isinstance(each, dict)]
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Failure(f"{file} is no YAML: {error}") from error
    return made
