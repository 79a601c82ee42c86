"""Problems of a manifest as lines on the standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bulkdcm.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bulkdcm.model import Problem

_COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}


def show(problems: Iterable[Problem]) -> None:
    """Print each problem in a line: severity, place, values, rule, remedy."""
    for problem in problems:
        say(problem.text, err=True, prefix=f"{click.style(problem.severity, fg=_COLORS[problem.severity])}: ")
