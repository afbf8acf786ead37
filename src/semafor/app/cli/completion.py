"""`semafor completion`: scripts that let shells complete commands and options."""

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_SEMAFOR_COMPLETE"  # by which click knows that a shell asks


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands and options.

    \b
    Example:
      source <(semafor completion bash)                                # in ~/.bashrc
      source <(semafor completion zsh)                                 # in ~/.zshrc
      semafor completion fish > ~/.config/fish/completions/semafor.fish
    """
    known = get_completion_class(shell)
    assert known is not None
    print(known(context.find_root().command, {}, "semafor", _VARIABLE).source())
