"""``bulkdcm completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from bulkdcm.cli.options import examples

_SHELLS = ("bash", "zsh", "fish")
_PROGRAM, _VARIABLE = "bulkdcm", "_BULKDCM_COMPLETE"


@click.command(
    epilog=examples(
        "completion bash >> ~/.bashrc",
        "completion zsh >> ~/.zshrc",
        "completion fish > ~/.config/fish/completions/bulkdcm.fish",
    )
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> int:
    """Print what makes SHELL complete commands and options."""
    kind = get_completion_class(shell)
    assert kind  # noqa: S101  # click has all of them
    click.echo(kind(context.find_root().command, {}, _PROGRAM, _VARIABLE).source(), nl=False)
    return 0
