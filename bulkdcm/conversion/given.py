"""What a run was given, noted in its ledger: by it `verify` finds the manifest, and reads it as the run did."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm.settings import Settings

if TYPE_CHECKING:
    from bulkdcm.ledger.ledger import Ledger

FACT = "given"
# What decides how a manifest is read. What decides pixels stands with each row.
_NOTED = (
    "images", "follow_links", "defaults", "template", "template_patient", "ignore_columns", "encoding", "delimiter", "sheet",
    "rows_per_image", "mapping", "layout", "uid_key_file", "max_pixels", "invert", "keep_color", "gray_tolerance",
)  # fmt: skip
_FLAGS = {"convert_cmyk", "invert", "keep_color"}
_TEXTS = {"transfer_syntax", "background", "jpeg", "window"}


def note(ledger: Ledger, given: Any, path: Path, settings: Settings) -> None:
    """Note the manifest of a run and the options by which it is read.

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
    """
    is_file = isinstance(given, str | os.PathLike) and path.is_file()
    usual = Settings()
    changed = {
        name: value for name in _NOTED if (value := getattr(settings, name)) != getattr(usual, name) or name == "images"
    }
    changed["images"] = settings.images or path.parent
    options = {name: os.path.realpath(value) if isinstance(value, Path) else value for name, value in changed.items()}
    ledger.note(FACT, json.dumps({"manifest": os.path.realpath(path) if is_file else "", "options": options}))


def noted(ledger: Ledger) -> tuple[Path | None, dict[str, Any]]:
    """Return the manifest of the last run, None if it was none that can be read again, and the options."""
    text = ledger.fact(FACT)
    if not text:
        return None, {}
    found = json.loads(text)
    options = found["options"]
    for name in ("images", "template", "mapping", "uid_key_file"):
        if options.get(name):
            options[name] = Path(options[name])
    for name in ("defaults", "ignore_columns"):
        if name in options:
            options[name] = tuple(tuple(each) if isinstance(each, list) else each for each in options[name])
    return Path(found["manifest"]) if found["manifest"] else None, options


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
