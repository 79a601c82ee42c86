"""What rows say together: one patient a study, one value of what belongs to patient, study or series, one UID a row."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import dictionary, levels
from bulkdcm.manifest.table import Column, by_number, groups, in_normal_form, members
from bulkdcm.model import Problem
from bulkdcm.uids import SERIES_KEYS, STUDY_KEYS, normal_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from bulkdcm.manifest.table import Codes, Manifest

    Rows = npt.NDArray[np.intp]

_PATIENT_KEYS = ("IssuerOfPatientID", "PatientID")
TWICE = "the same instance as"
# What says whose an image is, and of which examination.
_WHOSE = ("PatientID", "study", "AccessionNumber", "StudyID", "StudyInstanceUID", "SeriesInstanceUID")
_UIDS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "SynchronizationFrameOfReferenceUID",
    "SpecimenUID",
    "TrackingUID",
)


def numbered(manifest: Manifest) -> tuple[Codes, Codes]:
    """Return a number for each row's study and series, as UIDs will tell them apart.

    Parameters
    ----------
    manifest
        Resolved.
    """
    studies = _numbered(manifest, "StudyInstanceUID", [_key(manifest, name) for name in STUDY_KEYS])
    series_keys = [
        Column(studies, [""] * (int(studies.max()) + 1)),
        *(_key(manifest, name) for name in (*SERIES_KEYS, "sop_class")),
    ]
    return studies, _numbered(manifest, "SeriesInstanceUID", series_keys)


def check(manifest: Manifest) -> Iterator[Problem]:
    """Yield the problems between rows: keys are compared in the form that UIDs are derived from, values as they're written."""
    studies, series = numbered(manifest)
    patients = groups([_key(manifest, name) for name in _PATIENT_KEYS])
    known = manifest.column("PatientID").where(bool)
    # Without a PatientID nothing but the study says who is one patient.
    patients = np.where(known, patients, patients.max() + 1 + studies).astype(np.int32)
    yield from _one_patient(manifest, studies)
    disagreeing = [
        *_agree(manifest, patients, (*_PATIENT_KEYS, *levels.PATIENT), "patient"),
        *_agree(manifest, studies, levels.STUDY, "study"),
        *_agree(manifest, series, levels.SERIES, "series"),
    ]
    yield from _by_cause(manifest, disagreeing)
    yield from _one_study(manifest, series, studies)
    yield from _one_uid_a_row(manifest, series)
    yield from _one_role_a_uid(manifest)


def _key(manifest: Manifest, name: str) -> Column:
    return in_normal_form(manifest.column(name))


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
    for group in members(which.reshape(-1)):
        others = wrong[group]
        yield int(first[others[0]]), others


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


def _by_cause(manifest: Manifest, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Yield disagreements; those of rows that are one study only because nothing says whose they are, as that."""
    unknown = np.ones(len(manifest), dtype=bool)
    for name in _WHOSE:
        unknown &= manifest.column(name).where(lambda cell: not cell)
    lines = set(manifest.lines_of(np.flatnonzero(unknown))) if problems else set()
    consequences = [problem for problem in problems if problem.lines[0] in lines]
    yield from (problem for problem in problems if problem.lines[0] not in lines)
    if consequences:
        columns = ", ".join(dict.fromkeys(problem.column for problem in consequences))
        yield Problem(
            lines=tuple(sorted({line for problem in consequences for line in problem.lines})),
            column="PatientID",
            rule=f"empty, so that rows are taken as one patient and study that differ in {columns} (PS3.3 A.1.2)",
            remedy=f"Fill it in, or one of {', '.join(_WHOSE[1:-1])}; if it is one patient, write the same in all rows",
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
        found = list(_disagreeing(studies, column))
        times = Counter(first for first, _ in found)
        order, starts = by_number(studies, int(studies.max()) + 1) if found else (studies, studies)
        for first, others in found:
            if (
                not column[first] and times[first] == 1
            ):  # where all others agree, nobody would call the empty cell right
                study = order[starts[studies[first]] : starts[studies[first] + 1]]
                yield _without_patient(manifest, name, np.setdiff1d(study, others), int(others[0]))
                continue
            yield Problem(
                lines=manifest.lines_of(others),
                column=name,
                value=column[int(others[0])],
                rule=f"the study on line {manifest.lines[first]} is already that of patient "
                f"{_told_apart(column[first], column[int(others[0])])} (PS3.3 A.1.2)",
                remedy="A study has one patient: correct the patient, or give the row another StudyInstanceUID",
            )


def _without_patient(manifest: Manifest, name: str, empty: Rows, other: int) -> Problem:
    return Problem(
        lines=manifest.lines_of(empty),
        column=name,
        rule=f"empty, while its study is that of patient {manifest.column(name)[other]!r} on line {manifest.lines[other]} "
        "(PS3.3 A.1.2)",
        remedy="A study has one patient: write the same in all of its rows",
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
    instance, source = _key(manifest, "instance"), in_normal_form(manifest.places)
    named = instance.where(bool)
    offset = len(source.values)
    keys = np.where(named, instance.codes + offset, source.codes).astype(np.int32)
    by_keys = groups(
        [Column(series, [""] * (int(series.max()) + 1)), Column(keys, [""] * (offset + len(instance.values)))]
    )
    has_uid = given.where(bool)
    numbers = np.where(has_uid, by_keys.max() + 1 + given.codes, by_keys)
    numbers[manifest.followers] = -1 - manifest.followers  # frames of one object share its UID
    for same in members(numbers, least=2):
        start = int(same[0])
        name = "SOPInstanceUID" if has_uid[start] else ("instance" if named[start] else "source")
        yield Problem(
            lines=manifest.lines_of(same[1:]),
            column=name,
            value=manifest.column(name)[start],
            rule=f"{TWICE} line {manifest.lines[start]}: both would get one SOPInstanceUID (PS3.5 9)",
            remedy="Take the first row of each image with --rows-per-image first, put their cells together with "
            "--rows-per-image join, or give each row its own value in the `instance` column"
            if name == dictionary.SOURCE
            else "Remove the row, or give each row its own value in the `instance` column",
        )


def _one_role_a_uid(manifest: Manifest) -> Iterator[Problem]:
    columns = [(name, manifest.columns[name]) for name in _UIDS if name in manifest.columns]
    for index, (name, column) in enumerate(columns):
        for other_name, other in columns[index + 1 :]:
            shared = (set(column.values) & set(other.values)) - {""}
            code = {uid: code for code, uid in enumerate(other.values)} if shared else {}
            for uid in sorted(shared):
                yield Problem(
                    lines=manifest.lines_of(other.ordinals([code[uid]])),
                    column=other_name,
                    value=uid,
                    rule=f"the same UID is also in {name}; a UID names one thing (PS3.5 9)",
                    remedy="Give each its own, or leave the columns out",
                )
