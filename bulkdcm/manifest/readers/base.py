"""What a reader of tables is given, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO, Any

    from bulkdcm.manifest.table import Manifest

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a table is written, as far as the user says.

    Attributes
    ----------
    encoding
        Of a text.
    delimiter
        What divides columns of a text; empty if it is to be recognised.
    sheet
        Of a workbook; empty for the only one.
    header
        Names of the columns of a table without a header line.
    foreign
        Whether the table is a dataset's own, whose columns have other names than a manifest's.
    ignored
        Columns that are left out, and so are taken for no others.
    """

    encoding: str = "utf-8"
    delimiter: str = ""
    sheet: str = ""
    header: tuple[str, ...] | None = None
    foreign: bool = False
    ignored: tuple[str, ...] = ()

    def changed(self, **parts: Any) -> Form:
        """Return the form with other parts."""
        return replace(self, **parts)


class Reader(NamedTuple):
    """One format of tables.

    Attributes
    ----------
    fits
        Whether a file is one, by its name and its first bytes.
    read
        Reads the file, which has the given path in messages.
    """

    fits: Callable[[str, bytes], bool]
    read: Callable[[Path, IO[bytes], Form], Manifest]
