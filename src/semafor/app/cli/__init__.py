"""The command line. Each command is one module, named in COMMANDS; it talks HTTP to the API, never to the store."""

import importlib
import sys
from typing import NoReturn

import click

import semafor
from semafor.app.cli import output

# (command, module, one line for the list). Modules load when their command runs: `semafor --help` stays fast.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("up", "up", "Start the mesh, or find the one that runs."),
    ("demo", "demo", "Start the mesh, run the tutorial services and split their traffic."),
    ("build", "build", "Build an image from a Dockerfile, without Docker."),
    ("images", "images", "List the images that were built and the well-known ones."),
    ("run", "run", "Run a local command as a meshed pod, in the current folder."),
    ("status", "status", "Say what runs and where."),
    ("explain", "explain", "Tell what becomes of a request, and by which rules."),
    ("describe", "describe", "Describe what a pod or a service is to the mesh, and who may call it."),
    ("authz", "authz", "Check which policies are for a pod, and what they say of a request."),
    ("ca", "ca", "Show the certificate authority, or have another root take over."),
    ("analyze", "analyze", "Tell what is wrong with configuration, in files or in the mesh."),
    ("diff", "diff", "Tell what an apply would change, for which proxies."),
    ("history", "history", "List what was changed of the configuration, when, and by whom."),
    ("rollback", "rollback", "Go back to an earlier configuration."),
    ("validate", "validate", "Tell what is wrong with the fields of objects in files."),
    ("wait", "wait", "Wait until the proxies have an object, or have forgotten it."),
    ("proxy-status", "proxy_status", "Say which proxies are connected, and whether they have everything."),
    ("proxy-config", "proxy_config", "Show what an Envoy has: clusters, listeners, routes, endpoints, secrets."),
    ("down", "down", "Stop the mesh."),
    ("dashboard", "dashboard", "Open the page: the mesh, live, in a browser."),
    ("kubectl", "kubectl", "Run the installed kubectl with the right context."),
    ("kubeconfig", "kubeconfig", "Print a configuration for kubectl, also for another user."),
    ("install", "installing.install", "Install the mesh, or change what it consists of."),
    ("upgrade", "installing.upgrade", "Bring the mesh that runs to the version of this command."),
    ("uninstall", "installing.uninstall", "Take away the control plane and the gateways."),
    ("manifest", "installing.manifest", "Show the objects that an installation consists of."),
    ("profile", "installing.profile", "Show the profiles that an installation starts from."),
    ("tag", "installing.tag", "Give revisions stable names that namespaces can refer to."),
    ("controlplane", "controlplane", "Run one replica of the control plane of a Kubernetes cluster."),
    ("metrics", "metrics", "Show the load, failures and latencies of workloads."),
    ("tap", "tap", "Show requests as they pass workloads, live."),
    ("check-inject", "check_inject", "Tell whether a pod gets a sidecar, and why or why not."),
    ("precheck", "precheck", "Tell whether this machine has what a mesh needs."),
    ("bug-report", "bug_report", "Put what a helper needs into one archive, without secrets."),
    ("completion", "completion", "Print the script that lets a shell complete commands."),
    ("version", "version", "Print the versions of Semafor and of its Envoy."),
)


class Commands(click.Group):
    """A group that imports a command's module only when it is used."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return [name for name, _, _ in COMMANDS]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        for name, module, _ in COMMANDS:
            if name == cmd_name:
                command = importlib.import_module(f"semafor.app.cli.{module}").command
                assert isinstance(command, click.Command)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = [name for name, _, _ in COMMANDS]
        if args[0] not in known:
            _unknown(ctx, args[0], known)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, _, line in COMMANDS])


def _unknown(ctx: click.Context, word: str, known: list[str]) -> NoReturn:
    import difflib

    near = difflib.get_close_matches(word, known, n=1)
    ctx.fail(f"no such command: {word}." + (f" Did you mean {near[0]}?" if near else ""))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(semafor.__version__, message="semafor %(version)s")
def root() -> None:
    """A service mesh on your machine: Istio's API, the real kubectl, Envoy beside every service.

    Start with `semafor demo`, or with `semafor up` and then `kubectl apply -f ...`. State lives in $SEMAFOR_HOME
    (default ~/.local/state/semafor). Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


def main() -> None:
    """Run the command line; failures print one message and end with 1, wrong usage with 2."""
    if sys.platform != "linux":
        from semafor.kube.node import preflight

        (missing,) = preflight.check()
        sys.exit(f"error: {missing.why}\n  {missing.fix}")
    try:
        code = root.main(prog_name="semafor", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        output.error(error.format_message())
        sys.exit(1)
    except OSError as error:  # a folder that is not ours, a full disk: the user's to mend, so no traceback
        output.error(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)  # click hands back the code of an Exit
