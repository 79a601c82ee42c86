"""Traces that spreadsheets and other programs leave in cells: legal values, and hardly what was meant. Warned of, never changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.attributes.values import vr_of
from bulkdcm.manifest.readings import alike
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.manifest.table import Column, Manifest

_TEXT = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
_LONG = {"LT", "ST", "UT"}
_KEYS = {"study", "series", "instance"}
_IDENTIFIER = re.compile(r"ID|.*(?:ID|Number|Identifier)|OtherPatientIDs")
_FROM_SOURCE = "Take the column from where it came from, as text"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"


class _Trace(NamedTuple):
    """One kind of trace."""

    pattern: re.Pattern[str]
    rule: str
    remedy: str
    where: str = "text"
    """``text``: any text; ``line``: none of several lines; ``identifier``: identifiers only."""


_TRACES = (
    _Trace(
        re.compile(r'="[^"]*"'),
        "a spreadsheet's formula that keeps zeros in front, written as text",
        'Take ="…" away from around the value',
    ),
    _Trace(
        re.compile(r"'[\d=+\-@].*"),
        "the apostrophe is how text is typed into a spreadsheet, and no part of the value",
        "Take the apostrophe away",
    ),
    _Trace(
        re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|BEZUG!|WERT!|NV)|#{3,}"),
        "a spreadsheet's error in place of a value",
        "Correct the formula, and save the sheet again",
    ),
    _Trace(
        re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+\d+"),
        "a spreadsheet has made a number of it, and its last digits are lost",
        _FROM_SOURCE,
        "line",
    ),
    _Trace(
        re.compile(r"\d+[.,]0+"),
        "a program has made a number with decimals of it",
        "Write it without them",
        "identifier",
    ),
    _Trace(
        re.compile(rf"\d{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-\d{{2}}"),
        "a spreadsheet has made a date of it",
        _FROM_SOURCE,
        "identifier",
    ),
    _Trace(
        re.compile(r"\s*(?:nan|NaN|NaT|<NA>)\s*"),
        "how a program writes that there is no value",
        "Leave the cell empty if there is none",
    ),
    _Trace(
        re.compile("[\\s\\S]*[\u200b\u200e\u200f\u2060\ufeff\u00ad\u202a-\u202e\u2066-\u2069][\\s\\S]*"),
        "holds a character that has no width and that nobody sees",
        "Take it out, such as by typing the value again: searches for the value as it looks find nothing",
    ),
    _Trace(
        re.compile("[\u00a0\u2007\u202f][\\s\\S]*|[\\s\\S]*[\u00a0\u2007\u202f]"),
        "begins or ends with a no-break space, which copied tables and web pages leave behind",
        "Take it away: searches for the value as it looks find nothing",
    ),
    _Trace(
        re.compile("[\\s\\S]*[\u00a0\u2007\u202f][\\s\\S]*"),
        "holds a no-break space, which copied tables and web pages leave behind",
        "Write a plain space: searches for the value as it looks find nothing",
        "line",
    ),
    _Trace(
        re.compile("[\\s\\S]*(?:\ufffd|[\u00c2\u00c3][\u0080-\u00bf])[\\s\\S]*"),
        "its letters were lost or mixed up when the file was saved or read in another encoding",
        "Name the encoding with --encoding, or take the column from where it came from",
    ),
)
# Cells without any of these have no trace; nearly all cells are such.
_SUSPECT = re.compile(
    "[=#'+\u0080-\u00bf\u00c2\u00c3\u2007\u200b-\u200f\u202a-\u202f\u2060-\u2069\ufeff\ufffd]|[.,]0|\\d-|-\\d|nan|Na[NT]|<NA>"
)


def check(manifest: Manifest) -> Iterator[Problem]:
    """Yield a warning for each kind of trace in each column."""
    for name, column in manifest.columns.items():
        entry = dictionary.find(name)
        vr = vr_of(entry) if entry else ("LO" if name in _KEYS else "")
        if vr not in _TEXT or name in dictionary.OWNED:
            continue
        identifier = name in _KEYS or bool(_IDENTIFIER.fullmatch(name))
        places = {"text", *(() if vr in _LONG else ("line",)), *(("identifier",) if identifier else ())}
        yield from _in_column(manifest, name, column, [trace for trace in _TRACES if trace.where in places])


def _in_column(manifest: Manifest, name: str, column: Column, traces: list[_Trace]) -> Iterator[Problem]:
    found: dict[int, list[int]] = {}
    for code, cell in enumerate(column.values):
        if _SUSPECT.search(cell):
            kind = next((number for number, trace in enumerate(traces) if trace.pattern.fullmatch(cell)), None)
            if kind is not None:
                found.setdefault(kind, []).append(code)
    for kind, codes in found.items():
        ordinals = column.ordinals(codes)
        if not len(ordinals):
            continue
        trace = traces[kind]
        yield Problem(
            lines=manifest.lines_of(ordinals),
            column=name,
            value=column[int(ordinals[0])],
            rule=f"{trace.rule}{alike(len(codes) - 1)}",
            remedy=trace.remedy,
            severity="warning",
        )


def cause(vr: str, cell: str) -> str:
    """Return what a program did to a value that its VR refuses, as a remedy; empty where it is no trace.

    Parameters
    ----------
    vr
        Of the attribute.
    cell
        Its value.
    """
    if vr == "DA" and (serial := re.fullmatch(r"(\d{5})(?:\.\d+)?", cell)):
        day = np.datetime64("1899-12-30") + np.timedelta64(int(serial[1]), "D")
        return f"A spreadsheet has written the date as a count of days, perhaps {day}: format its column as YYYYMMDD"
    if vr in {"DA", "IS"} and re.fullmatch(r"[+-]?\d+[.,]0+", cell):
        return f"A program has made a number with decimals of it: write {re.split('[.,]', cell)[0]}"
    if vr == "TM" and re.fullmatch(r"\d{1,5}(?:\.\d+)?|\d{6}\.\d{7,}", cell):
        return "A spreadsheet may have taken zeros in front away, or added digits: write HHMMSS"
    for trace in _TRACES:
        if trace.where == "text" and trace.pattern.fullmatch(cell):
            return f"This is {trace.rule}. {trace.remedy}" if trace.rule.startswith(("a ", "how")) else trace.remedy
    return ""
