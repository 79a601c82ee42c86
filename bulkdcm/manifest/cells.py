"""Columns and cells one by one: known keywords, and values that keep the rules of their VR."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import body_parts, dictionary, terms, values
from bulkdcm.attributes.vr import RULES
from bulkdcm.manifest import traces
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.manifest.table import Column, Manifest

# Type 2 attributes that archives index by: validators warn of empty ones.
_DICOMDIR_KEYS = ("PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check(manifest: Manifest) -> Iterator[Problem]:
    """Yield the problems of columns and of cells by themselves."""
    for name, column in manifest.columns.items():
        if name in dictionary.RESERVED:
            yield from _check_reserved(manifest, name, column)
            continue
        problem = _check_name(name)
        if problem:
            yield problem
            continue
        yield from _check_cells(manifest, name, column)
    yield from _check_dicomdir_keys(manifest)


def _check_name(name: str) -> Problem | None:
    entry = dictionary.find(name)
    if entry is None:
        rule = "the name is no DICOM keyword (PS3.6) and none of " + ", ".join(dictionary.RESERVED)
        if not name:
            rule = "a column without a name"
        guess = dictionary.did_you_mean(name)
        remedy = f"{guess + ' ' if guess else ''}Rename it, or leave it out with --ignore-column {name or chr(39) * 2}"
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
    for code, cell in enumerate(column.values):
        if not cell:
            continue
        rule = values.broken_rule(name, cell)
        if rule:
            lines = manifest.lines_of(column.ordinals([code]))
            if lines:
                yield Problem(lines=lines, column=name, value=cell, rule=rule, remedy=_remedy(name, cell))
        elif warning := _unknown_term(name, cell):
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
        return "Write it as YYYYMMDD, as 20230726"
    if vr == "CS" and cell != cell.upper():
        return f"Write it in capitals: {cell.upper()}"
    if vr == "AS" and (age := re.fullmatch(r"(\d{1,3})([YyMmWwDd]?)", cell)):
        unit = (age[2] or "Y").upper()
        guess = {"M": " if these are months", "Y": "" if age[2] else " if these are years"}.get(unit, "")
        return f"Write it as {int(age[1]):03d}{unit}{guess}"
    if _CONTROL.search(cell):
        return "Take the line ends and control characters out"
    return "Correct the cell, or leave it empty"


def _unknown_term(name: str, cell: str) -> tuple[str, str] | None:
    if name == "BodyPartExamined" and cell not in body_parts.table():
        close = difflib.get_close_matches(cell, body_parts.table(), n=1)
        remedy = f"Did you mean {close[0]}?" if close else "Use one of its terms, so that others understand it"
        return "not a Defined Term of BodyPartExamined (PS3.16 annex L)", remedy
    rule = terms.unknown_term(name, cell.split("\\"))
    return (
        (rule, f"Use one of {', '.join(terms.DEFINED[name][0][:12])} …, so that others understand it") if rule else None
    )


def _check_reserved(manifest: Manifest, name: str, column: Column) -> Iterator[Problem]:
    for code, cell in enumerate(column.values):
        rule = ""
        if name == "sha256" and cell and not re.fullmatch(r"[0-9a-f]{64}", cell):
            rule = "a SHA-256 is 64 hexadecimal digits"
        elif found := _CONTROL.search(cell):
            rule = f"can't hold the control character {found[0]!r}"
        elif name == dictionary.SOURCE and not cell:
            rule = "the row names no image"
        if rule and (lines := manifest.lines_of(column.ordinals([code]))):
            yield Problem(lines=lines, column=name, value=cell, rule=rule, remedy="Correct the cell")


def _check_dicomdir_keys(manifest: Manifest) -> Iterator[Problem]:
    for name in _DICOMDIR_KEYS:
        column = manifest.column(name)
        if "" not in column.values:
            continue
        own = manifest.column("sop_class").where(lambda name: name == "DICOM")  # such a file has its own
        lines = manifest.lines_of(np.flatnonzero(column.where(lambda cell: not cell) & ~own))
        if lines:
            yield Problem(
                lines=lines,
                column=name,
                rule="empty; validators warn, since no DICOMDIR can be built without it (PS3.3 F.5)",
                remedy=f"Fill it in, or give all rows one value with --set {name}=…",
                severity="warning",
            )
