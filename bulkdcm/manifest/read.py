"""A manifest as its rows are meant: the table read, mapped if it is a dataset's own, one row an image, defaults filled in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest import mapping, mapping_file
from bulkdcm.manifest.images_of_rows import identical, one_row_an_image
from bulkdcm.manifest.readers import Form, data_frame, read_table
from bulkdcm.manifest.table import Column
from bulkdcm.settings import DELIMITERS, local_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.setting_parts import ManifestSettings


def read(given: Any, settings: ManifestSettings) -> Manifest:
    """Return the manifest in a table.

    Parameters
    ----------
    given
        Path of a table, ``-`` for the standard input, or a pandas DataFrame.
    settings
        How it is written, its mapping, defaults and the columns to leave out.

    Raises
    ------
    ManifestError
        If it can't be read, is no text in its encoding, or its rows don't fit its header.
    """
    foreign = mapping_file.load(settings.mapping) if settings.mapping else None
    form = Form(
        encoding=(foreign and foreign.encoding) or settings.encoding,
        delimiter=DELIMITERS.get(settings.delimiter, "") or (foreign.delimiter if foreign else ""),
        sheet=settings.sheet,
        header=foreign.header if foreign else None,
        foreign=foreign is not None,
        ignored=settings.ignore_columns,
    )
    path = path_of(given)
    manifest = read_table(path, form) if isinstance(given, (str, os.PathLike)) else data_frame.read(given, form)
    manifest, again = identical(manifest)
    how = settings.rows_per_image
    if foreign:
        manifest = mapping.apply(foreign, manifest, settings.images or manifest.path.parent, how)
    manifest = _with_defaults(manifest, settings)
    if how and not foreign:
        manifest, problems = one_row_an_image(manifest, how)
        if problems:
            raise ManifestError.of(manifest.path, problems)
    return manifest.noting(*again)


def path_of(given: Any) -> Path:
    """Return the path of a manifest as messages have it; of a DataFrame, whose sources are relative to the current folder, a name.

    Raises
    ------
    SettingsError
        If it is a URL, or neither a path nor a DataFrame.
    """
    if isinstance(given, (str, os.PathLike)):
        return local_path("manifest", given)
    if not (hasattr(given, "iloc") and hasattr(given, "columns")):
        msg = f"the manifest is a {type(given).__name__}. Give a path, or a pandas DataFrame."
        raise SettingsError(msg)
    return Path(data_frame.NAME)


def _with_defaults(manifest: Manifest, settings: ManifestSettings) -> Manifest:
    """Return the manifest with unwanted columns left out, `--set` values filled in, and spaces that say nothing cut off."""
    wanted = {name: column for name, column in manifest.columns.items() if name not in settings.ignore_columns}
    columns = {name: column.mapped(lambda cell: cell.strip(" "), ("\n ", " \n")) for name, column in wanted.items()}
    for name, default in settings.defaults:
        present = columns.get(name) or Column.constant("", len(manifest))
        columns[name] = present.mapped(_filled_with(default))
    return manifest.of(columns)


def _filled_with(default: str) -> Callable[[str], str]:
    return lambda cell: cell or default
