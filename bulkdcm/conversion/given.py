"""What a run was given, noted in its ledger: by it `verify` reads the manifest as the run did, and `convert OUT` goes on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import mappings, names
from bulkdcm.settings import KEPT, Settings

if TYPE_CHECKING:
    from bulkdcm.ledger.ledger import Ledger

FACT = "given"
# What decides how a manifest is read. What decides pixels is in each row.
_READING = frozenset({
    "images", "follow_links", "defaults", "template", "template_patient", "ignore_columns", "encoding", "delimiter", "sheet",
    "rows_per_image", "mapping", "layout", "uid_key_file", "max_pixels", "invert", "keep_color", "gray_tolerance",
})  # fmt: skip
_NOTED = tuple(dict.fromkeys((*KEPT, *sorted(_READING))))  # always in the same order
_PATHS = ("images", "template", "mapping", "uid_key_file")
_FLAGS = {"convert_cmyk", "invert", "keep_color"}
_TEXTS = {"transfer_syntax", "background", "jpeg", "window"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What the last run at an output folder was given.

    Attributes
    ----------
    manifest
        None if it was none that can be read again.
    another
        A manifest that isn't that one, although it is just as far from the output folder: the folder was copied with all
        around it, and nobody can tell which is meant. None if there is none.
    options
        Settings by name, those alone that aren't the usual ones.
    whole
        Whether `options` are all; an earlier release noted those alone that `verify` needs.
    """

    manifest: Path | None = None
    another: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)
    whole: bool = False

    @property
    def reading(self) -> dict[str, Any]:
        """The options that decide how the manifest is read."""
        return {name: value for name, value in self.options.items() if name in _READING}

    @property
    def kept(self) -> dict[str, Any]:
        """The options that a run goes on with: all but those that are noted for `verify` alone."""
        return {name: value for name, value in self.options.items() if name in KEPT or name not in _READING}


def note(ledger: Ledger, given: Any, path: Path, settings: Settings, folder: Path) -> None:
    """Note the manifest of a run and the options that it keeps.

    Paths are noted twice, from the root and from the output folder, so that both may move together.

    Parameters
    ----------
    ledger
        Open.
    given
        As the caller has it: what is no file can't be read again.
    path
        Of the manifest.
    settings
        Of the run.
    folder
        The output folder.
    """
    is_file = isinstance(given, str | os.PathLike) and path.is_file()
    usual = Settings()
    options: dict[str, Any] = {
        name: value for name in _NOTED if (value := getattr(settings, name)) != getattr(usual, name)
    } | {"images": settings.images or path.parent}
    paths = {name: _named(options[name]) for name in _PATHS if name in options}
    manifest = os.path.realpath(path) if is_file else ""
    near = {name: _from(folder, where) for name, where in {**paths, "manifest": manifest}.items() if where}
    known = {"manifest": manifest, "options": options | paths, "near": near, "whole": True}
    ledger.note(FACT, json.dumps(known))


def _named(path: Path) -> str:
    """Return the real path of a file or folder; of a mapping that comes with bulkdcm its name, wherever that is installed."""
    name = path.stem
    return name if mappings.find(name) == path else os.path.realpath(path)


def _from(folder: Path, path: str) -> str:
    try:
        return names.slashed(os.path.relpath(path, os.path.realpath(folder))) if Path(path).is_absolute() else ""
    except ValueError:  # another drive
        return ""


def noted(ledger: Ledger, folder: Path) -> Noted:
    """Return what the last run was given; nothing of a ledger that doesn't say.

    Parameters
    ----------
    ledger
        Open.
    folder
        The output folder.
    """
    try:
        found = json.loads(ledger.fact(FACT) or "{}")
        options, near = dict(found.get("options", {})), dict(found.get("near", {}))
        for name in _PATHS:
            if options.get(name):
                options[name] = _there(options[name], near.get(name, ""), folder)
        if "defaults" in options:
            options["defaults"] = tuple((str(keyword), str(cell)) for keyword, cell in options["defaults"])
        if "ignore_columns" in options:
            options["ignore_columns"] = tuple(map(str, options["ignore_columns"]))
        manifest = another = None
        if found.get("manifest"):
            manifest = _there(found["manifest"], near.get("manifest", ""), folder)
            beside = _near(folder, near.get("manifest", ""))
            both = os.path.isfile(beside) and os.path.exists(manifest)
            another = beside if both and not os.path.samefile(beside, manifest) else None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Noted()
    return Noted(manifest=manifest, another=another, options=options, whole=bool(found.get("whole")))


def _there(path: str, near: str, folder: Path) -> Path:
    """Return where a noted path is now: where it was, or, if it is gone from there, beside the output folder that has moved."""
    if not Path(path).is_absolute():
        return mappings.find(path) or Path(path)
    moved = _near(folder, near)
    return moved if near and not os.path.exists(path) and os.path.exists(moved) else Path(path)


def _near(folder: Path, near: str) -> Path:
    return Path(os.path.normpath(Path(os.path.realpath(folder), near)))


@lru_cache(maxsize=64)
def recorded(basis: str, settings: Settings) -> Settings:
    """Return the settings that a row was converted with, as far as they decide pixels.

    Parameters
    ----------
    basis
        As the ledger has it, see `Settings.output_options`.
    settings
        For all else.
    """
    known = {field.name for field in fields(Settings)}
    usual = Settings()
    options: dict[str, Any] = {name: getattr(usual, name) for name in (*_FLAGS, *_TEXTS, "gray_tolerance")}
    for part in basis.split(";"):
        name, equals, value = part.partition("=")
        if name in _FLAGS:
            options[name] = True
        elif equals and name in known & _TEXTS:
            options[name] = value
        elif name == "gray_tolerance":
            options[name] = int(value)
    return settings.changed(**options)
