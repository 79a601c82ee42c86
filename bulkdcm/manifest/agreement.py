"""What rows say together: one patient a study, one value of what belongs to patient, study or series, one UID a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import levels
from bulkdcm.manifest.table import Column, groups
from bulkdcm.model import Problem
from bulkdcm.uids import SERIES_KEYS, STUDY_KEYS, normal_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from bulkdcm.manifest.table import Codes, Manifest

    Rows = npt.NDArray[np.intp]

_PATIENT_KEYS = ("IssuerOfPatientID", "PatientID")
_UIDS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "SynchronizationFrameOfReferenceUID",
    "SpecimenUID",
    "TrackingUID",
)


def check(manifest: Manifest) -> Iterator[Problem]:
    """Yield the problems between rows: keys are compared in the form that UIDs are derived from, values as they're written."""
    studies = _numbered(manifest, "StudyInstanceUID", [_key(manifest, name) for name in STUDY_KEYS])
    series_keys = [
        Column(studies, [""] * (int(studies.max()) + 1)),
        *(_key(manifest, name) for name in (*SERIES_KEYS, "sop_class")),
    ]
    series = _numbered(manifest, "SeriesInstanceUID", series_keys)
    patients = groups([_key(manifest, name) for name in _PATIENT_KEYS])
    known = manifest.column("PatientID").where(bool)
    # Without a PatientID nothing but the study says who is one patient.
    patients = np.where(known, patients, patients.max() + 1 + studies).astype(np.int32)
    yield from _one_patient(manifest, studies)
    yield from _agree(manifest, patients, (*_PATIENT_KEYS, *levels.PATIENT), "patient")
    yield from _agree(manifest, studies, levels.STUDY, "study")
    yield from _agree(manifest, series, levels.SERIES, "series")
    yield from _one_study(manifest, series, studies)
    yield from _one_uid_a_row(manifest, series)
    yield from _one_role_a_uid(manifest)


def _key(manifest: Manifest, name: str) -> Column:
    return manifest.column(name).mapped(normal_form)


def _numbered(manifest: Manifest, uid_name: str, keys: Sequence[Column]) -> Codes:
    """Return a number for each row's study or series: by its UID where given, else by its keys."""
    uids = manifest.column(uid_name)
    by_keys = groups(keys)
    if uids.values == [""]:
        return by_keys
    return np.where(uids.where(bool), by_keys.max() + 1 + uids.codes, by_keys).astype(np.int32)


def _disagreeing(numbers: Codes, column: Column) -> Iterator[tuple[int, Rows]]:
    """Yield (first row, other rows) for each group and value that is not the value of the group's first row."""
    if len(column.values) < 2:
        return
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.r_[True, numbers[order][1:] != numbers[order][:-1]])
    first = np.empty(len(numbers), dtype=np.intp)
    first[order] = np.repeat(order[starts], np.diff(np.r_[starts, len(order)]))
    wrong = np.flatnonzero(column.codes != column.codes[first])
    if not len(wrong):
        return
    pairs = np.stack([first[wrong], column.codes[wrong]], axis=1)
    _, which = np.unique(pairs, axis=0, return_inverse=True)
    which = which.reshape(-1)
    for group in range(int(which.max()) + 1):
        members = wrong[which == group]
        yield int(first[members[0]]), members


def _agree(manifest: Manifest, numbers: Codes, names: Sequence[str], level: str) -> Iterator[Problem]:
    for name in names:
        if name not in manifest.columns:
            continue
        column = manifest.columns[name]
        for first, others in _disagreeing(numbers, column):
            yield Problem(
                lines=manifest.lines_of(others),
                column=name,
                value=column[int(others[0])],
                rule=f"disagrees with {_told_apart(column[first], column[int(others[0])])} on line {manifest.lines[first]}, "
                f"of the same {level} (PS3.3 A.1.2)",
                remedy=_REMEDIES[level],
            )


def _told_apart(value: str, other: str) -> str:
    """Return a value as it is shown beside another that may look the same."""
    same = value != other and normal_form(value) == normal_form(other)
    return f"{value!r}, which has the same letters in another Unicode form," if same else repr(value)


_REMEDIES = {
    "patient": "Write the same in all rows of this PatientID, or give different patients different PatientIDs",
    "study": "Write the same in all rows of the study, or give its parts different values in the `study` column",
    "series": "Write the same in all rows of the series, or give its parts different values in the `series` column",
}


def _one_patient(manifest: Manifest, studies: Codes) -> Iterator[Problem]:
    for name in _PATIENT_KEYS:
        column = manifest.column(name)
        for first, others in _disagreeing(studies, column):
            yield Problem(
                lines=manifest.lines_of(others),
                column=name,
                value=column[int(others[0])],
                rule=f"the study on line {manifest.lines[first]} is already that of patient "
                f"{_told_apart(column[first], column[int(others[0])])} (PS3.3 A.1.2)",
                remedy="A study has one patient: correct the patient, or give the row another StudyInstanceUID",
            )


def _one_study(manifest: Manifest, series: Codes, studies: Codes) -> Iterator[Problem]:
    uids = manifest.column("SeriesInstanceUID")
    if uids.values == [""]:
        return
    for first, others in _disagreeing(series, Column(studies, ["", ""])):
        yield Problem(
            lines=manifest.lines_of(others),
            column="SeriesInstanceUID",
            value=uids[int(others[0])],
            rule=f"the series on line {manifest.lines[first]} belongs to another study (PS3.3 A.1.2)",
            remedy="Give each series of a study its own UID, or leave the column out",
        )


def _one_uid_a_row(manifest: Manifest, series: Codes) -> Iterator[Problem]:
    given = manifest.column("SOPInstanceUID")
    instance, source = _key(manifest, "instance"), _key(manifest, "source")
    named = instance.where(bool)
    offset = len(source.values)
    keys = np.where(named, instance.codes + offset, source.codes).astype(np.int32)
    by_keys = groups(
        [Column(series, [""] * (int(series.max()) + 1)), Column(keys, [""] * (offset + len(instance.values)))]
    )
    has_uid = given.where(bool)
    numbers = np.where(has_uid, by_keys.max() + 1 + given.codes, by_keys)
    numbers[manifest.followers] = -1 - manifest.followers  # frames of one object share its UID
    _, first, inverse, counts = np.unique(numbers, return_index=True, return_inverse=True, return_counts=True)
    for group in np.flatnonzero(counts > 1):
        members = np.flatnonzero(inverse == group)
        start = int(first[group])
        name = "SOPInstanceUID" if has_uid[start] else ("instance" if named[start] else "source")
        yield Problem(
            lines=manifest.lines_of(members[1:]),
            column=name,
            value=manifest.column(name)[start],
            rule=f"the same instance as line {manifest.lines[start]}: both would get one SOPInstanceUID (PS3.5 9)",
            remedy="Remove the row, or give each row its own value in the `instance` column",
        )


def _one_role_a_uid(manifest: Manifest) -> Iterator[Problem]:
    columns = [(name, manifest.columns[name]) for name in _UIDS if name in manifest.columns]
    for index, (name, column) in enumerate(columns):
        for other_name, other in columns[index + 1 :]:
            shared = (set(column.values) & set(other.values)) - {""}
            for uid in sorted(shared):
                yield Problem(
                    lines=manifest.lines_of(other.ordinals([other.values.index(uid)])),
                    column=other_name,
                    value=uid,
                    rule=f"the same UID also stands in {name}; a UID names one thing (PS3.5 9)",
                    remedy="Give each its own, or leave the columns out",
                )
