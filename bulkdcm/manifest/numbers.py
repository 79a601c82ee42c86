"""Numbers of datasets: which sign divides whole from parts is decided by all cells of a column, or not at all."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm.manifest.readings import Doubt, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.rule import Rule

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# Decimal sign to a number with groups of thousands, if any.
_STYLES = {
    ".": re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d{1,3}(?:[ ']\d{3})+|\d*)(?:\.(\d*))?"),
    ",": re.compile(r"([+-]?)(\d{1,3}(?:\.\d{3})+|\d{1,3}(?:[ ']\d{3})+|\d*)(?:,(\d*))?"),
}


def read_numbers(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return the number of each cell with a decimal point and no zeros after it that say nothing; or why it isn't certain.

    Parameters
    ----------
    cells
        The different cells of a column.
    rule
        Its `decimal` sign.
    """
    tidied = [tidy(cell) for cell in cells]
    readings = [{sign: text for sign in _STYLES if (text := _read(cell, sign))} for cell in tidied]
    if rule.decimal:
        styles = {rule.decimal}
    else:
        styles = set(_STYLES)
        for found in readings:
            styles &= found.keys() or styles
        if not any("," in cell for cell in tidied):
            styles &= {"."}  # as programs write numbers
    return [_chosen(found, styles) for found in readings]


def read_decimals(cells: Sequence[str], rule: Rule) -> list[str | Doubt]:
    """Return the number of each cell that is written with a decimal comma; see `read_numbers`."""
    return read_numbers(cells, replace(rule, decimal=","))


def _read(cell: str, sign: str) -> str:
    if sign == "." and _PLAIN.fullmatch(cell):
        return _short(cell)
    match = _STYLES[sign].fullmatch(cell)
    if not match or not (match[2] or match[3]):
        return ""
    whole = re.sub(r"\D", "", match[2])
    if len(whole) < len(match[2]) and whole[0] == "0":  # 0,143 has no thousands
        return ""
    return _short(f"{match[1]}{whole or '0'}.{match[3] or ''}")


def _short(text: str) -> str:
    if "e" in text.lower() or "." not in text:
        return text
    whole, _, parts = text.partition(".")
    parts = parts.rstrip("0")
    return f"{whole}.{parts}" if parts else (whole if whole.strip("+-") else "0")


def _chosen(found: dict[str, str], styles: set[str]) -> str | Doubt:
    if not found or (styles and not styles & found.keys()):
        return Doubt(
            "number",
            "not a number, such as 0.143 or 0,143",
            "Correct the cell, or say what others become with `else`, in {key}",
        )
    texts = {text for sign, text in found.items() if sign in (styles or found)}
    if len(texts) == 1:
        return texts.pop()
    return Doubt(
        "decimal",
        f"may be {' or '.join(sorted(texts))}, and no cell of the column decides it",
        'Say which with decimal = "," or decimal = "." in {key}',
        several=True,
    )
