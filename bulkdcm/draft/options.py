"""How a folder of images becomes a draft of a manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """How a folder is read.

    Attributes
    ----------
    pattern
        A path with fields, as ``{PatientID}/{study}/{SeriesNumber}_{InstanceNumber}.png``; ``*`` stands for anything
        within a name, ``**`` for anything.
    numbers
        Columns that count up from image to image, and where each begins; zeros in front are kept.
    constants
        Columns with one value for all.
    name_from_stem
        PatientName from the file's name without its ending.
    facts
        Which facts of the files become columns: ``date`` (EXIF), ``density`` (PNG pHYs, JPEG JFIF).
    follow_links
        Whether links to files outside the folder are images of it.
    join
        A table with columns for the images.
    on
        What of each image stands in the table, as ``{stem}``; ``{stem}=Image Index`` says in which of its columns.
    encoding
        Of the table.
    """

    pattern: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    name_from_stem: bool = False
    facts: tuple[str, ...] = field(default_factory=tuple)
    follow_links: bool = False
    join: Path | None = None
    on: str = ""
    encoding: str = "utf-8"
