"""What columns may be by their cells alone, if no name says it: a suggestion, and whether it is certain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.draft.words import is_age, is_sex, sex_of
from bulkdcm.manifest.date_forms import date_of, written_date
from bulkdcm.manifest.readings import tidy
from bulkdcm.manifest.table import groups

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bulkdcm.manifest import Manifest

_DICOM_AGE = re.compile(r"\d{3}[DWMY]")
_MOST_SEXES, _MOST_CHARS, _LEAST_DIGITS = 20, 64, 4
_ID = re.compile(r"(?=.*\d)[\w.:/#-]+")
_DECIMAL = re.compile(r"[-+]?\d+[.,]\d*")


class Guess(NamedTuple):
    """What a column may be."""

    names: tuple[str, ...]
    """Of the column; of several that may be it, all."""
    certain: bool
    why: str


def guesses(table: Manifest, taken: Collection[str], used: dict[str, str]) -> dict[str, Guess]:
    """Return the columns of the manifest that cells suggest.

    Parameters
    ----------
    table
        The dataset's.
    taken
        Its columns that something is made from.
    used
        Columns of the manifest that are made of one.
    """
    found: dict[str, Guess] = {}
    for target, fits, why in _BY_CELLS:
        left = {name: fits(column.values) for name, column in table.columns.items() if name and name not in taken}
        fitting = {name: certain for name, certain in left.items() if certain is not None}
        if fitting and target not in used:
            found[target] = Guess(tuple(fitting), len(fitting) == 1 and all(fitting.values()), why)
    guessed = {name for guess in found.values() for name in guess.names}
    return found | _keys(table, {*taken, *guessed}, used)


def _sex(cells: Sequence[str]) -> bool | None:
    """Return whether the cells are certainly sexes; None if they can't be."""
    words = [cell for cell in cells if tidy(cell)]
    if not words or len(words) > _MOST_SEXES or not all(map(is_sex, words)):
        return None
    both = {"M", "F"} <= set(sex_of("", words).values())
    return all(len(tidy(word)) > 1 or not word.isascii() for word in words) if both else None


def _age(cells: Sequence[str]) -> bool | None:
    """Return whether the cells are certainly ages of patients; None if they can't be."""
    words = [tidy(cell) for cell in cells if tidy(cell)]
    if not words or not all(map(is_age, words)):
        return None
    # 512M may be anything.
    return all(map(_DICOM_AGE.fullmatch, words)) and any(word.endswith("Y") for word in words)


def _date(cells: Sequence[str]) -> bool | None:
    """Return whether the cells are dates: whose they are is never certain."""
    words = [tidy(cell) for cell in cells if tidy(cell)]
    found = [written_date(date_of(word)) for word in words]
    if not words or not all(date and date.readings and date.shape != "6 digits" for date in found):
        return None
    return None if any(word.isdecimal() and len(word) < 8 for word in words) else False


_BY_CELLS: tuple[tuple[str, Callable[[Sequence[str]], bool | None], str], ...] = (
    ("PatientSex", _sex, "sexes"),
    ("PatientAge", _age, "ages"),
    ("StudyDate", _date, "dates"),
)


def _keys(table: Manifest, taken: Collection[str], used: dict[str, str]) -> dict[str, Guess]:
    """Return which columns may tell patients and studies apart: identifiers that several rows share, coarsest first."""
    columns = {name: column.values for name, column in table.columns.items() if name and name not in taken}
    sizes = {name: len(cells) for name, cells in columns.items() if _is_id(cells)}
    coarse = sorted((name for name, size in sizes.items() if 1 < size < len(table)), key=lambda name: sizes[name])
    sex = used.get("PatientSex")
    patients = [name for name in coarse if not sex or _determines(table, name, sex)]
    found: dict[str, Guess] = {}
    if "PatientID" not in used and patients:
        found["PatientID"] = Guess((patients[0],), certain=False, why="identifiers that several rows share")
    patient = used.get("PatientID") or (patients[0] if patients else "")
    of_patients = len(table.column(patient).values)
    if not {"StudyID", "study", "AccessionNumber", "StudyInstanceUID"} & used.keys():
        finer = [name for name in coarse if patient and sizes[name] > of_patients and _determines(table, name, patient)]
        if finer:
            found["study"] = Guess((finer[0],), certain=False, why="identifiers that divide the rows of each patient")
    return found


def _is_id(cells: Sequence[str]) -> bool:
    """Return whether cells look like identifiers: a digit in each, and more than a count or a measure."""
    words = [cell.strip() for cell in cells if cell.strip()]
    numbers = all(word.isdecimal() for word in words)
    widths = {len(word) for word in words}
    padded = len(widths) == 1 and any(word[0] == "0" for word in words)
    if numbers and not padded and min(widths, default=0) < _LEAST_DIGITS:
        return False
    return bool(words) and all(
        len(word) <= _MOST_CHARS and _ID.fullmatch(word) and not _DECIMAL.fullmatch(word) for word in words
    )


def _determines(table: Manifest, name: str, other: str) -> bool:
    """Return whether rows that agree in one column agree in the other too."""
    column = table.column(name)
    return len(set(groups([column, table.column(other)]).tolist())) == len(set(column.codes.tolist()))
