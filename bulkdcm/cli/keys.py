"""Options from elsewhere than the command line, as click takes them: strictly by their types, each told by its key."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import click

from bulkdcm import toml_file
from bulkdcm.cli.options import CONVERT, by_hand, pairs
from bulkdcm.cli.paths import LocalPath
from bulkdcm.errors import SettingsError
from bulkdcm.printable import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOST_BYTES, _CHARS_SHOWN = 64_000, 80
_MOST = 2**63


def key(name: str) -> str:
    """Return how a settings file calls an option."""
    return CONVERT[name].opts[-1].removeprefix("--")


_NAMES = {key(name): name for name in CONVERT}


def read(path: Path, context: click.Context) -> dict[str, Any]:
    """Return the options in a settings file, by name.

    Parameters
    ----------
    path
        Of the file, to whose folder the paths in it are relative.
    context
        Of the command.

    Raises
    ------
    SettingsError
        If it can't be read, or a key or its value is none of those that mean something.
    """
    try:
        data = toml_file.load(path, _MOST_BYTES)
    except ValueError as error:
        msg = f"{path}: {error}. Correct the file, or leave it alone with --no-settings."
        raise SettingsError(msg) from error
    found: dict[str, Any] = {}
    for written, raw in data.items():
        name = _NAMES.get(written.replace("_", "-"))
        if name is None:
            msg = f"{path}: {_shown(written)} is no option. {_meant(written)}"
            raise SettingsError(msg)
        if why := by_hand(CONVERT[name]):
            msg = f"{path}: {written} can't be set in a file, since {why}. Give {CONVERT[name].opts[-1]} on the command line."
            raise SettingsError(msg)
        if name in found:
            msg = f"{path}: {key(name)} is there twice, with - and with _. Leave one of them."
            raise SettingsError(msg)
        found[name] = value(name, raw, str(path), context, path.parent)
    return found


def value(name: str, raw: Any, where: str, context: click.Context, folder: Path) -> Any:
    """Return an option's value as click's default map takes it.

    Parameters
    ----------
    name
        Of the option.
    raw
        As TOML or JSON has it.
    where
        It was found, for messages.
    context
        Of the command.
    folder
        What paths are relative to.

    Raises
    ------
    SettingsError
        If it has another type, or isn't possible.
    """
    option = CONVERT[name]
    try:
        made = _made(option, raw, folder)
        option.process_value(context, made)
    except (click.UsageError, SettingsError) as error:
        msg = f"{where}: {key(name)}: {error.message}"
        raise SettingsError(msg) from error
    except ValueError as error:
        msg = f"{where}: {key(name)} = {_shown(raw)}: {error}."
        raise SettingsError(msg) from error
    return made


def _made(option: click.Option, raw: Any, folder: Path) -> Any:
    if option.callback is pairs:
        if not isinstance(raw, dict):
            msg = 'write a table, such as set = { Modality = "CR" }'
            raise ValueError(msg)
        if wrong := [name for name in raw if not name or "=" in name]:
            msg = f"{_shown(wrong[0])} is no keyword"
            raise ValueError(msg)
        return [f"{_text(name)}={_cell(name, cell)}" for name, cell in raw.items()]
    if option.multiple:
        return [_one(option, each, folder) for each in (raw if isinstance(raw, list) else [raw])]
    return _one(option, raw, folder)


def _cell(name: str, raw: Any) -> str:
    if type(raw) is int and abs(raw) < _MOST:
        return str(raw)
    if not isinstance(raw, str):
        msg = f"write {name} as a text in quotation marks"
        raise ValueError(msg)  # noqa: TRY004  # as for all values
    return _text(raw)


def _one(option: click.Option, raw: Any, folder: Path) -> Any:
    kinds: Iterable[tuple[type, tuple[type, ...], str]] = (
        (click.types.BoolParamType, (bool,), "true or false"),
        (click.types.IntParamType, (int,), "a whole number"),
        (click.types.FloatParamType, (int, float), "a number"),
        (click.ParamType, (str,), "a text in quotation marks"),
    )
    taken, said = next((taken, said) for kind, taken, said in kinds if isinstance(option.type, kind))
    if type(raw) not in taken:
        msg = f"write {said}"
        raise ValueError(msg)
    if not isinstance(raw, str):
        if isinstance(raw, int) and abs(raw) >= _MOST:
            msg = "write a smaller number"
            raise ValueError(msg)
        return raw
    text = _text(raw)
    if isinstance(option.type, LocalPath):
        if not text:
            msg = "write a path"
            raise ValueError(msg)
        return option.type.beside(folder, text)
    return text


def _text(text: str) -> str:
    if "\0" in text:
        msg = "a NUL is in it"
        raise ValueError(msg)
    return text


def _meant(written: str) -> str:
    wanted = written.replace("_", "-").lower()
    possible = [each for each, name in _NAMES.items() if not by_hand(CONVERT[name])]
    near = [each for each in possible if _NAMES[each] == wanted.replace("-", "_")]  # as Python calls it
    near = near or difflib.get_close_matches(wanted, possible, n=1)
    return f"Did you mean {near[0]}?" if near else "`bulkdcm help options` lists them."


def _shown(raw: Any) -> str:
    if isinstance(raw, int) and abs(raw) >= _MOST:  # Python writes no number of thousands of digits
        return "a number of many digits"
    text = repr(raw) if not isinstance(raw, bool) else str(raw).lower()
    shown = text if len(text) <= _CHARS_SHOWN else f"{text[:_CHARS_SHOWN]}…"
    return shown.encode("utf-8", ERRORS).decode("utf-8", ERRORS)
