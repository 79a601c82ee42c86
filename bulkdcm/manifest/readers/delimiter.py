"""What divides the columns of a text: the sign by which all of its first records have as many cells as the header has names.

The standard library's Sniffer counts characters in lines, and so falls for commas in quotes and in numbers.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_CHARS = 65_536
_MOST_RECORDS = 1000


def recognised(sample: str, *, whole: bool, known: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the sign that divides the columns of a text; several, if nothing decides between them.

    Parameters
    ----------
    sample
        Its beginning.
    whole
        Whether that is all of it.
    known
        Whether the name of a column is one that a manifest has.

    Returns
    -------
    One sign, a comma if there is nothing to divide; or those that fit alike.
    """
    trials = {sign: records for sign in SIGNS if len((records := _records(sample, sign, whole=whole))[0]) > 1}
    if len(trials) < 2:
        return tuple(trials) or (",",)
    fitting = [sign for sign, records in trials.items() if _fits(records)] or list(trials)
    if len(fitting) > 1:
        names = {sign: sum(map(known, (name.strip() for name in trials[sign][0]))) for sign in fitting}
        best = [sign for sign in fitting if names[sign] == max(names.values()) > 0]
        fitting = best or fitting
    if len(fitting) > 1 and not any(_fits(trials[sign]) for sign in fitting):
        # Nothing fits, so that the reader will say what is wrong: with the sign that divides the header most.
        return (max(fitting, key=lambda sign: len(trials[sign][0])),)
    return tuple(fitting)


def _records(sample: str, sign: str, *, whole: bool) -> list[list[str]]:
    """Return the first records by a sign; the last one isn't whole."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sign)
    try:
        found = [record for record in islice(reader, _MOST_RECORDS) if record]
        left = next(reader, None)
    except csv.Error:
        return [[]]
    return (found if whole or left is not None or len(found) < 2 else found[:-1]) or [[]]


def _fits(records: list[list[str]]) -> bool:
    """Return whether all records have as many cells as the first, and no quotes lie within them that divide nothing."""
    width = len(records[0])
    return all(len(record) == width for record in records) and not any(
        cell.count('"') % 2 for record in records for cell in record
    )
