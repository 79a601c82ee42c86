"""Commands on a manifest, which take options from its settings file, or from the run that they go on with."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bulkdcm import names
from bulkdcm.cli import keys
from bulkdcm.cli.events import Events, to_standard_output
from bulkdcm.cli.options import CONVERT, pairs
from bulkdcm.cli.output import say
from bulkdcm.cli.taken import Taken, taken
from bulkdcm.errors import ManifestError, RunError, SettingsError
from bulkdcm.ledger.files import FOLDER
from bulkdcm.settings import KEPT, is_url
from bulkdcm.settings_file import settings_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bulkdcm.conversion.given import Noted

_LAST = "settings of the last run"
_OUT, _MANIFEST, _LEDGER, _NO_SETTINGS = "out", "manifest", "ledger", "no_settings"


class TakingCommand(click.Command):
    """A command on a manifest."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options, and let those of the command line win."""
        found = None
        if not ctx.resilient_parsing:  # as completion does
            given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            help_option = self.get_help_option(ctx)
            found = None if help_option and given.get(str(help_option.name)) else self._taken_or_told(ctx, given)
        own = {each.name: each.to_info_dict() for each in self.params}
        usable = [name for name in (found.values if found else ()) if own.get(name) == CONVERT[name].to_info_dict()]
        values = {name: found.values[name] for name in usable} if found else {}
        ctx.default_map = values | ({_OUT: found.out} if found and found.out else {})
        rest = super().parse_args(ctx, args)
        if found:
            self._put(ctx, replace(found, values=values))
        return rest

    def _put(self, ctx: click.Context, found: Taken) -> None:
        """Add what the command line's values don't exclude, and note what was taken."""
        used = []
        for name, value in found.values.items():
            if ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
                used.append(name)
            elif CONVERT[name].multiple:
                ctx.params[name] = _together(CONVERT[name], ctx.params[name], CONVERT[name].process_value(ctx, value))
                used.append(name)
        if found.manifest:
            ctx.params[_MANIFEST] = found.manifest
        by_user = [name for name in CONVERT if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        replace(found, used=used, given=[name for name in by_user if name in KEPT]).put(ctx)

    def _taken_or_told(self, ctx: click.Context, given: Mapping[str, Any]) -> Taken | None:
        """Return what is taken; of an error programs are told, too."""
        try:
            return self._taken(ctx, given)
        except RunError:
            if given.get("as_json"):
                events = Events([to_standard_output], identifiers=bool(given.get("identifiers")))
                with events.of(str(ctx.info_name), given.get(_MANIFEST)):
                    raise
            raise

    def _taken(self, ctx: click.Context, given: Mapping[str, Any]) -> Taken | None:
        named, all_ignored = given.get(_MANIFEST), bool(given.get(_NO_SETTINGS))
        if not isinstance(named, str) or is_url(named):
            return None
        manifest = Path(named)
        if found := self._gone_on_with(ctx, manifest, given):
            return found
        path = settings_file(manifest)
        reads = not all_ignored and os.path.lexists(path)
        values = keys.read(path, ctx) if reads else {}
        if os.path.isdir(manifest) and _OUT not in {*given, *values} and any(each.name == _OUT for each in self.params):
            from bulkdcm.manifest.other_files import refuse

            refuse(manifest)  # which says more than that --out is missing
        return Taken(where=str(path), values=values) if reads else None

    def _gone_on_with(self, ctx: click.Context, folder: Path, given: Mapping[str, Any]) -> Taken | None:
        """Return what the run at an output folder was given that is named in the manifest's place."""
        is_argument = any(isinstance(each, click.Argument) and each.name == _MANIFEST for each in self.params)
        out, ledger = given.get(_OUT), given.get(_LEDGER)
        if not is_argument or not os.path.isdir(folder) or not (ledger or os.path.isdir(folder / FOLDER)):
            return None
        if isinstance(out, str) and os.path.realpath(out) != os.path.realpath(folder):
            return None
        last = _of_run(ctx, folder, Path(ledger) if isinstance(ledger, str) else None)
        options = {} if given.get(_NO_SETTINGS) else last.kept
        values = {name: _value(name, raw, ctx) for name, raw in options.items()}
        return Taken(where=_LAST, values=values, manifest=last.manifest, out=folder)

    def invoke(self, ctx: click.Context) -> Any:
        """Say what was taken, run the command, and say of an option at fault that it was."""
        found = taken()
        if found and found.line and not (ctx.params.get("quiet") or ctx.params.get("as_json")):
            say(found.line, err=True)
        try:
            return super().invoke(ctx)
        except RunError as error:
            if found:
                found.name_place(error)
            raise


def _of_run(ctx: click.Context, folder: Path, ledger: Path | None) -> Noted:
    """Return what the last run at an output folder was given, with its manifest.

    Raises
    ------
    ManifestError
        If its manifest isn't known, or isn't there.
    LedgerError
        If there is no ledger, or it can't be read.
    """
    from bulkdcm.conversion.given import noted
    from bulkdcm.ledger.snapshot import snapshot

    with snapshot(folder, ledger) as opened:
        found = noted(opened, folder)
    writes = any(each.name == _OUT for each in ctx.command.params)
    again = f"`bulkdcm {ctx.info_name} MANIFEST{f' --out {names.word(str(folder))}' if writes else ''}`"
    wrong = ""
    if not found.whole:
        wrong = "its ledger doesn't say what the run was given, since an earlier release wrote it, or the run has only begun"
    elif found.manifest is None:
        wrong = "the manifest of its run was no file"
    elif found.another:
        wrong = (
            f"its run was of {found.manifest}, but there is {found.another}, too, and nobody can tell which is meant"
        )
    elif not os.path.exists(found.manifest):
        wrong = f"the manifest of its run isn't there: {found.manifest}"
    if wrong:
        msg = f"{folder}: {wrong}. Name the manifest, with the run's options: {again}."
        raise ManifestError(msg)
    return found


def _value(name: str, raw: Any, ctx: click.Context) -> Any:
    """Return the value of a kept option as click's default map takes it; it is judged as a file's, since folders travel too."""
    if name not in KEPT:
        msg = f"{_LAST}: this release doesn't know the option {name!r}. Update bulkdcm, or leave them alone with --no-settings."
        raise SettingsError(msg)
    if CONVERT[name].callback is pairs:
        first: dict[str, str] = {}
        for keyword, cell in raw:  # of two for one keyword, the first counts
            first.setdefault(keyword, cell)
        raw = first
    elif isinstance(raw, (Path, tuple)):
        raw = str(raw) if isinstance(raw, Path) else list(raw)
    return keys.value(name, raw, _LAST, ctx, Path())


def _together(option: click.Option, given: Any, values: Any) -> Any:
    """Return the values of an option that is given several times: those of the command line come first, and win by keyword."""
    names = {each[0] for each in given} if option.callback is pairs else set(given)
    return (*given, *(each for each in values if (each[0] if option.callback is pairs else each) not in names))
