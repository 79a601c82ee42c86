"""What a report's page shows, and where its pictures come from: they are made by a layer above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Wanted(NamedTuple):
    """A row of which there should be a picture."""

    ordinal: int
    source: str
    output: str
    converted: bool


class Picture(NamedTuple):
    """A row's picture.

    Attributes
    ----------
    data
        Of a JPEG file; empty if there is none.
    width, height
        In pixels.
    said
        What there is to know of it: its window, or why there is none.
    """

    data: bytes = b""
    width: int = 0
    height: int = 0
    said: str = ""


Patient = tuple[str, str]
"""PatientID and PatientName."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the page is made.

    Attributes
    ----------
    identifiers
        Whether patients' names and IDs, paths and messages as they are may be in it.
    pictures
        Makes pictures of rows; None for a page without.
    patient_of
        Tells the patient of an output; asked only for `identifiers`.
    """

    identifiers: bool = False
    pictures: Callable[[Sequence[Wanted]], Sequence[Picture]] | None = None
    patient_of: Callable[[str], Patient] | None = None
