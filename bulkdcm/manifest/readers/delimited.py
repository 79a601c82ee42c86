"""CSV to columns, as text and nothing but text, with every structural fault located.

The standard library's reader streams a million rows of twelve columns in about 2 s and 100 MB, tells the line of each
record, and guesses nothing; pandas' would pad short rows, shift long ones and turn ``00123`` into 123.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from collections import defaultdict
from functools import partial
from itertools import compress, count, islice, repeat
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bulkdcm.errors import ManifestError
from bulkdcm.manifest.header import may_be_known, understood
from bulkdcm.manifest.readers import delimiter
from bulkdcm.manifest.table import Column, Manifest
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bulkdcm.manifest.readers.base import Form

_BATCH = 250  # more at once no longer fit a processor's cache, which takes twice the time
_MAX_LINE_CHARS = 16_000_000
_TOLD = re.compile(r'"?sep=([,;\t|])"?\r?\n?', re.IGNORECASE)
"""The line that tells Excel what divides the columns."""
_NUL = Problem(
    lines=(1,),
    rule="the line holds NUL characters, as UTF-16 does if it is read in another encoding",
    remedy="Save the file as UTF-8, or name its encoding, such as --encoding utf-16-le",
)
# The longer ones first: each begins like one of the shorter.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def fits(name: str, head: bytes) -> bool:
    """Return whether a file may be text: what is known to be something else has been refused before."""
    del name, head
    return True


def read(path: Path, file: IO[bytes], form: Form) -> Manifest:
    """Return a CSV file as columns; see `Reader`.

    Raises
    ------
    ManifestError
        If it is no text in its encoding, nothing tells its delimiter, or its rows don't fit its header.
    """
    encoding = encoding_of(file, form.encoding)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        first = text.readline(_MAX_LINE_CHARS)
        if "\0" in first:
            raise ManifestError.of(path, [_NUL])
        told = _TOLD.fullmatch(first)
        text.seek(0)
        sign = form.delimiter or (told[1] if told else _recognised(path, text))
        text.seek(0)
        # A longer line is cut, which the csv module then refuses: its cells or their number are wrong.
        lines = iter(partial(text.readline, _MAX_LINE_CHARS), "")
        reader = csv.reader(lines, strict=True, delimiter=sign)
        if told:
            next(reader)
        found = _records(path, reader, form)
    except UnicodeError as error:
        raise undecodable(path, file, encoding) from error
    finally:
        text.detach()
    if sign == "," or form.delimiter:
        return found
    note = Problem(
        lines=(1,),
        rule=f"the columns are divided by a {delimiter.SIGNS[sign]}",
        remedy="If that is wrong, name another, such as --delimiter comma",
        severity="note",
    )
    return found.noting(note)


def encoding_of(file: IO[bytes], encoding: str) -> str:
    """Return what a text is encoded in: what its byte order mark says, else what the user says."""
    head = file.read(4)
    file.seek(0)
    return next((name for mark, name in _MARKS if head.startswith(mark)), encoding)


def _recognised(path: Path, text: IO[str]) -> str:
    sample = text.read(delimiter.SAMPLE_CHARS)
    whole = len(sample) < delimiter.SAMPLE_CHARS
    signs = delimiter.recognised(sample, whole=whole, known=may_be_known)
    if len(signs) > 1:
        problem = Problem(
            lines=(1,),
            rule=f"the columns may be divided by {' or '.join(f'a {delimiter.SIGNS[sign]}' for sign in signs)}",
            remedy=f"Say which with --delimiter {delimiter.SIGNS[signs[0]]} or --delimiter {delimiter.SIGNS[signs[1]]}",
        )
        raise ManifestError.of(path, [problem])
    return signs[0]


def undecodable(path: Path, file: IO[bytes], encoding: str) -> ManifestError:
    """Return the error of a text that isn't in an encoding, with the first line that isn't."""
    remedy = "Save the file as UTF-8, or name its encoding, such as --encoding cp1252 or --encoding gb18030"
    file.seek(0)
    line = 1
    for line, raw in enumerate(file, start=1):  # noqa: B007  # the line is wanted after the loop
        try:
            raw.decode(encoding)
        except UnicodeError:
            break
    name = encoding.removesuffix("-sig")
    return ManifestError.of(path, [Problem(lines=(line,), rule=f"not {name} text", remedy=remedy)])


def _records(path: Path, reader: Any, form: Form) -> Manifest:
    problems: list[Problem] = []
    try:
        if form.header is None:
            header, notes = understood(path, next(filter(None, reader), []), form)
        else:
            header, notes = understood(path, form.header, form)
        lines = array("i")
        codes = [array("i") for _ in header]
        # Each number is given at the first look at its cell.
        index: list[defaultdict[str, int]] = [defaultdict(count().__next__) for _ in header]
        for records in _of_right_length(reader, len(header), lines, problems):
            for known, own, cells in zip(index, codes, zip(*records, strict=True), strict=True):
                own.extend(map(known.__getitem__, cells))
    except csv.Error as error:
        problem = Problem(
            lines=(max(1, reader.line_num),),
            rule=f"the CSV is broken here: {error}",
            remedy='Put cells that hold a delimiter, quote or line end in double quotes, and write a quote inside as ""',
        )
        raise ManifestError.of(path, [problem, *problems]) from error
    if problems:
        raise ManifestError.of(path, problems)
    columns = {
        name: Column(np.frombuffer(own, dtype=np.int32), list(known))
        for name, own, known in zip(header, codes, index, strict=True)
        if name or known.keys() - {""}  # spreadsheets end lines with delimiters that divide nothing
    }
    return _holding(Manifest(path, columns, np.frombuffer(lines, dtype=np.int32), notes=notes))


def _holding(found: Manifest) -> Manifest:
    """Return a table without the rows that hold nothing, as spreadsheets write them below the others."""
    empty = np.ones(len(found), dtype=bool)
    for column in found.columns.values():
        if "" not in column.values:
            return found
        empty &= column.codes == column.values.index("")
    return found.taken(np.flatnonzero(~empty)) if empty.any() else found


def _of_right_length(
    reader: Any, width: int, lines: array[int], problems: list[Problem]
) -> Iterator[Sequence[Sequence[str]]]:
    """Yield the records that have as many cells as the header, many at once, noting lines and the others.

    Blank lines are passed over.
    """
    line = reader.line_num + 1
    numbered = zip(reader, map(attrgetter("line_num"), repeat(reader)), strict=False)
    while True:
        batch: list[tuple[list[str], int]] = []
        try:
            batch.extend(islice(numbered, _BATCH))
        finally:  # what was read before a fault is told as well
            records, ends = zip(*batch, strict=True) if batch else ((), ())
            starts = [line, *(end + 1 for end in ends[:-1])]
            if set(map(len, records)) - {width}:
                _note_others(zip(starts, records, strict=True), width, problems)
                fitting = [len(record) == width for record in records]
                records, starts = tuple(compress(records, fitting)), list(compress(starts, fitting))
        if not batch:
            return
        line = ends[-1] + 1
        if records:
            lines.extend(starts)
            yield records


def _note_others(records: Iterable[tuple[int, Sequence[str]]], width: int, problems: list[Problem]) -> None:
    """Note the records that have fewer or more cells than the header has names; of each: its line and cells."""
    problems += [
        Problem(
            lines=(line,),
            rule=f"{len(record)} cells under {width} column names",
            remedy="Give each row as many cells as the header has names; quote cells that hold a delimiter",
        )
        for line, record in records
        if len(record) not in {0, width}
    ]
