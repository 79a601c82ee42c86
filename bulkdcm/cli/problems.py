"""Problems of a manifest as lines on the standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bulkdcm.model import Problem

_COLORS = {"error": "red", "warning": "yellow"}


def show(problems: Iterable[Problem]) -> None:
    """Print each problem: severity, place, value, rule, remedy."""
    for problem in problems:
        click.echo(f"{click.style(problem.severity, fg=_COLORS[problem.severity])}: {problem}", err=True)


def counted(count: int, noun: str) -> str:
    """Return a number of things, as ``1 error`` or ``2,000 errors``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
