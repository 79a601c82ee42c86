"""Options that are from a settings file, or from the run that is gone on with; and what is said of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkdcm import mappings
from bulkdcm.cli import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.errors import RunError

_KEY = "bulkdcm.taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Options that are not from the command line.

    Attributes
    ----------
    where
        They are from.
    values
        Of the options, by name, as click's default map takes them.
    manifest
        Of the run that is gone on with; None for a settings file.
    out
        Its output folder.
    used
        Those that the command line hasn't given, or only added to.
    given
        Settings that the command line has given.
    """

    where: str
    values: dict[str, Any]
    manifest: Path | None = None
    out: Path | None = None
    used: Sequence[str] = ()
    given: Sequence[str] = ()

    @property
    def line(self) -> str:
        """What a person is told of it; empty if nothing was taken."""
        names = ", ".join(self._shown(name) for name in self.used)
        if self.manifest is None:
            return f"settings from {self.where}: {names}" if names else ""
        given = ", ".join(map(keys.key, self.given))
        more = (f"; as before: {names}" if names else "") + (f"; as given now: {given}" if given else "")
        return f"going on with the run of {self.manifest}{more}"

    def _shown(self, name: str) -> str:
        """Return an option's key; with its path if that leads elsewhere than to the manifest's folder."""
        value, key = self.values[name], keys.key(name)
        home = Path(os.path.realpath((self.manifest or Path(self.where)).parent))
        away = isinstance(value, Path) and not Path(os.path.realpath(value)).is_relative_to(home)
        away = away and mappings.find(value.stem) != value
        return f"{key} ({os.path.realpath(value)})" if away else key

    def put(self, context: click.Context) -> None:
        """Keep this for whoever asks what the command has taken."""
        context.meta[_KEY] = self

    def name_place(self, error: RunError) -> None:
        """If a message is about an option that was not on the command line, say which file or run it came from."""
        message = error.message
        if any(message.startswith(f"--{keys.key(name)} ") for name in self.used):
            error.args = (f"{self.where}: {message.removeprefix('--')}", *error.args[1:])


def taken() -> Taken | None:
    """Return what the command that runs has taken."""
    context = click.get_current_context(silent=True)
    found = context.meta.get(_KEY) if context else None
    return found if isinstance(found, Taken) else None
