"""Columns and cells one by one: known keywords, and values that keep the rules of their VR."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm import names
from bulkdcm.attributes import body_parts, dictionary, terms, values
from bulkdcm.attributes.vr import RULES
from bulkdcm.manifest import traces
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.manifest.table import Column, Manifest

# Type 2 attributes that archives index by: validators warn of empty ones.
_DICOMDIR_KEYS = ("PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber")
_GUESSES = 10  # of one kind: to find what was meant takes far longer than to see that it is wrong
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check(manifest: Manifest) -> Iterator[Problem]:
    """Yield the problems of columns and of cells by themselves."""
    unknown = 0
    for name, column in manifest.columns.items():
        if name in dictionary.RESERVED:
            yield from _check_reserved(manifest, name, column)
            continue
        problem = _check_name(name, guess=unknown < _GUESSES)
        if problem:
            unknown += 1
            yield problem
            continue
        yield from _check_cells(manifest, name, column)
    yield from _check_dicomdir_keys(manifest)


def as_meant(manifest: Manifest) -> tuple[Manifest, list[Problem]]:
    """Return a manifest with misspelt columns under the names that they are most like, and the problems of their names.

    Else the column that was meant would be missing, which would be more errors of one cause.
    """
    wrong = [
        name for name in manifest.columns if name and name not in dictionary.RESERVED and not dictionary.find(name)
    ]
    meant = {name: other for name in wrong[:_GUESSES] if (other := dictionary.likely_meant(name))}
    free = {name: other for name, other in meant.items() if other not in manifest.columns}
    if len(set(free.values())) < len(free) or not free:
        return manifest, []
    problems = [problem for name in free if (problem := _check_name(name))]
    return manifest.of({free.get(name, name): column for name, column in manifest.columns.items()}), problems


def _check_name(name: str, *, guess: bool = True) -> Problem | None:
    entry = dictionary.find(name)
    if entry is None:
        rule = "the name is no DICOM keyword (PS3.6) and none of " + ", ".join(dictionary.RESERVED)
        if not name:
            rule = "a column without a name"
        meant = dictionary.did_you_mean(name) if guess else ""
        remedy = f"{meant}{' ' if meant else ''}Rename it, or leave it out with --ignore-column {names.word(name)}"
        return Problem(lines=(1,), column=name, rule=rule, remedy=remedy)
    reason = dictionary.OWNED.get(name)
    if reason is None and entry.tag < 0x00080000:
        reason = "it belongs to the file's meta information"
    if reason:
        remedy = f"Leave it out with --ignore-column {name}"
        return Problem(lines=(1,), column=name, rule=f"a manifest can't set it: {reason}", remedy=remedy)
    if entry.vr == "SQ" and not entry.is_code_sequence:
        rule = "a sequence that doesn't hold codes can't be written in a cell"
        return Problem(lines=(1,), column=name, rule=rule, remedy=f"Leave it out with --ignore-column {name}")
    if values.vr_of(entry) not in RULES and entry.vr != "SQ":
        return Problem(lines=(1,), column=name, rule=f"VR {entry.vr} can't be written in a cell", remedy="Leave it out")
    return None


def _check_cells(manifest: Manifest, name: str, column: Column) -> Iterator[Problem]:
    unknown = 0
    for code, cell in enumerate(column.values):
        if not cell:
            continue
        rule = values.broken_rule(name, cell)
        if rule:
            lines = manifest.lines_of(column.ordinals([code]))
            if lines:
                yield Problem(lines=lines, column=name, value=cell, rule=rule, remedy=_remedy(name, cell))
        elif warning := _unknown_term(name, cell, guess=unknown < _GUESSES):
            unknown += 1
            lines = manifest.lines_of(column.ordinals([code]))
            yield Problem(lines=lines, column=name, value=cell, rule=warning[0], remedy=warning[1], severity="warning")


def _remedy(name: str, cell: str) -> str:
    if name in terms.ENUMERATED:
        allowed = terms.ENUMERATED[name][0]
        start = next((term for term in allowed if term[0] == cell[0].upper()), "")
        return f"Did you mean {start}?" if start else "Use one of them, or leave the cell empty"
    entry = dictionary.find(name)
    vr = entry.vr if entry else ""
    if found := traces.cause(vr, cell):
        return found
    if vr == "DA" and (digits := re.sub(r"\D", "", cell)) and len(digits) == 8 and digits != cell:
        return "Write it as YYYYMMDD, such as 20230726"
    if vr == "CS" and cell != cell.upper():
        return f"Write it in capitals: {cell.upper()!r}"
    if vr == "AS" and (age := re.fullmatch(r"(\d{1,3})([YyMmWwDd]?)", cell)):
        unit = (age[2] or "Y").upper()
        guess = {"M": " if these are months", "Y": "" if age[2] else " if these are years"}.get(unit, "")
        return f"Write it as {int(age[1]):03d}{unit}{guess}"
    if _CONTROL.search(cell):
        return "Take the line ends and control characters out"
    return "Correct the cell, or leave it empty"


def _unknown_term(name: str, cell: str, *, guess: bool) -> tuple[str, str] | None:
    if name == "BodyPartExamined" and cell not in body_parts.table():
        close = difflib.get_close_matches(cell, body_parts.table(), n=1) if guess else []
        remedy = f"Did you mean {close[0]}?" if close else "Use one of its terms, so that others understand it"
        return "not a Defined Term of BodyPartExamined (PS3.16 annex L)", remedy
    rule = terms.unknown_term(name, cell.split("\\"))
    return (
        (rule, f"Use one of {', '.join(terms.DEFINED[name][0][:12])} …, so that others understand it") if rule else None
    )


def _check_reserved(manifest: Manifest, name: str, column: Column) -> Iterator[Problem]:
    if (
        name != "sha256"
        and "".join(column.values).isprintable()
        and not (name == dictionary.SOURCE and column.may_hold("\n\n"))
    ):
        return  # not one control character in all cells together
    for code, cell in enumerate(column.values):
        rule = _broken_by_reserved(name, cell)
        ordinals = column.ordinals([code]) if rule else np.zeros(0, dtype=np.intp)
        if name == "output" and len(ordinals) and _CONTROL.search(manifest.column(dictionary.SOURCE)[int(ordinals[0])]):
            continue  # made from a source that has been reported
        if lines := manifest.lines_of(ordinals):
            yield Problem(lines=lines, column=name, value=cell, rule=rule, remedy="Correct the cell")


def _broken_by_reserved(name: str, cell: str) -> str:
    if name == "sha256" and cell and not re.fullmatch(r"[0-9a-f]{64}", cell):
        return "a SHA-256 is 64 hexadecimal digits"
    if found := _CONTROL.search(cell):
        return f"can't hold the control character {found[0]!r}"
    return "the row names no image" if name == dictionary.SOURCE and not cell else ""


def fault(name: str, text: str) -> str:
    """Return what is wrong with a column and one value for all rows that an option or a mapping names, and what to do.

    Parameters
    ----------
    name
        Of the column.
    text
        The value; one that is only known from the rows is left out as an empty text.
    """
    if name not in dictionary.RESERVED:
        if dictionary.find(name) is None:
            meant = (
                dictionary.did_you_mean(name) or f"Use a keyword of PS3.6, or one of {', '.join(dictionary.RESERVED)}"
            )
            return f"{name!r} is no DICOM keyword. {meant}"
        if problem := _check_name(name):
            return f"{problem.rule}. Leave it out"
        rule = values.broken_rule(name, text) if text else ""
        return f"{rule}. {_remedy(name, text)}" if rule else ""
    rule = _broken_by_reserved(name, text) if text else ""
    return f"{rule}. Correct it" if rule else ""


def _check_dicomdir_keys(manifest: Manifest) -> Iterator[Problem]:
    for name in _DICOMDIR_KEYS:
        column = manifest.column(name)
        if "" not in column.values:
            continue
        own = manifest.column("sop_class").where(manifest.kinds.__contains__)  # such a source has its own
        lines = manifest.lines_of(np.flatnonzero(column.where(lambda cell: not cell) & ~own))
        if lines:
            yield Problem(
                lines=lines,
                column=name,
                rule="empty; validators warn, since no DICOMDIR can be built without it (PS3.3 F.5)",
                remedy=f"Fill it in, or give all rows one value with --set {name}=…",
                severity="warning",
            )
