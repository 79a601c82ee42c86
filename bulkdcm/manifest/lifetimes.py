"""Births, ages and studies that can't all be right: legal one by one, so warned of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import values
from bulkdcm.manifest.readings import alike
from bulkdcm.manifest.table import Column, groups
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from bulkdcm.manifest.table import Manifest

_BIRTH, _AGE = "PatientBirthDate", "PatientAge"
_LATER = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_AS = re.compile(r"(\d{3})([DWMY])")
_DAYS = {"D": 1, "W": 7, "M": 365.25 / 12, "Y": 365.25}
# Ages may be rounded, or counted from a shifted or unknown day of birth: one unit more or less is no contradiction.
_SLACK = 1
_NONE = np.datetime64("NaT", "D")


def check(manifest: Manifest) -> Iterator[Problem]:
    """Yield a warning where births lie after studies, and where ages contradict both."""
    births = _days(manifest.column(_BIRTH))
    if np.isnat(births).all():
        return
    born = births[manifest.column(_BIRTH).codes]
    for name in _LATER:
        column = manifest.column(name)
        taken = _days(column)[column.codes]
        late = np.flatnonzero(born > taken)
        if len(late):
            yield Problem(
                lines=manifest.lines_of(late),
                column=_BIRTH,
                value=manifest.column(_BIRTH)[int(late[0])],
                rule=f"the patient is born after {name} {column[int(late[0])]!r}",
                remedy="Correct one of them; a birth year of two digits may have been put into the wrong century",
                severity="warning",
            )
    yield from _ages(manifest, born)


def _ages(manifest: Manifest, born: npt.NDArray[np.datetime64]) -> Iterator[Problem]:
    ages, studies = manifest.column(_AGE), manifest.column("StudyDate")
    limits = np.array([_limits(cell) for cell in ages.values])[ages.codes]
    lived = (_days(studies)[studies.codes] - born).astype("timedelta64[D]").astype(float)
    lived[np.isnat(born) | np.isnat(_days(studies)[studies.codes])] = np.nan
    wrong = np.flatnonzero((lived >= 0) & ((lived < limits[:, 0]) | (lived > limits[:, 1])))
    if not len(wrong):
        return
    first = int(wrong[0])
    birth, study = manifest.column(_BIRTH)[first], studies[first]
    kinds = groups([Column(column.codes[wrong], column.values) for column in (ages, studies, manifest.column(_BIRTH))])
    yield Problem(
        lines=manifest.lines_of(wrong),
        column=_AGE,
        value=ages[first],
        rule=f"contradicts PatientBirthDate {birth!r} and StudyDate {study!r}, which make {_told(lived[first])}{alike(int(kinds.max()))}",
        remedy="Correct one of the three, or leave the age out",
        severity="warning",
    )


def _days(column: Column) -> npt.NDArray[np.datetime64]:
    """Return each value as a day; NaT where it is none."""
    return np.array([_day(cell) for cell in column.values], dtype="datetime64[D]")


def _day(cell: str) -> np.datetime64:
    if len(cell) != 8 or values.broken_rule("StudyDate", cell):
        return _NONE
    return np.datetime64(f"{cell[:4]}-{cell[4:6]}-{cell[6:]}")


def _limits(cell: str) -> tuple[float, float]:
    """Return the least and most days that somebody of an age has lived; none for no age."""
    match = _AS.fullmatch(cell)
    if not match:
        return (np.nan, np.nan)
    count, unit = int(match[1]), _DAYS[match[2]]
    return ((count - _SLACK) * unit - 1, (count + 1 + _SLACK) * unit + 1)


def _told(days: float) -> str:
    unit = "Y" if days >= 2 * _DAYS["Y"] else "M" if days >= 3 * _DAYS["M"] else "D"
    return f"{int(days / _DAYS[unit]):03d}{unit}"
