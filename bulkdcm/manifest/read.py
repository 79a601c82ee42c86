"""CSV to columns, as text and nothing but text, with every structural fault located.

The standard library's reader streams a million rows of twelve columns in about 2 s and 100 MB, tells the line of each
record, and guesses nothing; pandas' would pad short rows, shift long ones and turn ``00123`` into 123.
"""

from __future__ import annotations

import csv
from array import array
from collections import defaultdict
from functools import partial
from itertools import compress, count, islice, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.errors import ManifestError
from bulkdcm.manifest import mapping, mapping_file, other_files
from bulkdcm.manifest.table import Column, Manifest
from bulkdcm.model import Problem
from bulkdcm.settings import local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from bulkdcm.setting_parts import ManifestSettings

_BATCH = 250  # more at once no longer fit a processor's cache, which takes twice the time
_MAX_COLUMNS = 1000
_MAX_LINE_CHARS = 16_000_000


def read(path: Path, settings: ManifestSettings) -> Manifest:
    """Return the manifest in `path`.

    Parameters
    ----------
    path
        A CSV file with a header line; comma, quotes as RFC 4180.
    settings
        Its encoding, defaults and the columns to leave out.

    Raises
    ------
    ManifestError
        Where the file can't be read, is no text in that encoding, or its rows don't fit its header.
    """
    foreign = mapping_file.load(settings.mapping) if settings.mapping else None
    manifest = read_table(path, (foreign and foreign.encoding) or settings.encoding, foreign=foreign is not None)
    if foreign:
        manifest = mapping.apply(foreign, manifest, settings.images or path.parent)
    return _with_defaults(manifest, settings)


def read_table(path: Path, encoding: str, *, foreign: bool) -> Manifest:
    """Return a CSV file as columns.

    Parameters
    ----------
    path
        A CSV file with a header line.
    encoding
        Of its text.
    foreign
        Whether it is a dataset's own, whose columns have other names.

    Raises
    ------
    ManifestError
        Where it can't be read.
    SettingsError
        Where it is a URL.
    """
    path = local_path("the CSV file", path)
    other_files.refuse(path)
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    try:
        with path.open(encoding=name, newline="") as file:
            # A longer line is cut, which the csv module then refuses: its cells or their number are wrong.
            lines = iter(partial(file.readline, _MAX_LINE_CHARS), "")
            return _records(path, csv.reader(lines, strict=True), foreign=foreign)
    except UnicodeError as error:
        raise _undecodable(path, encoding) from error
    except OSError as error:
        msg = f"{path}: {error.strerror}."
        raise ManifestError(msg) from error


def _undecodable(path: Path, encoding: str) -> ManifestError:
    guess, remedy = "", "Save the file as UTF-8, or name its encoding, as --encoding cp1252 or --encoding gb18030"
    with path.open("rb") as file:
        head = file.read(4)
        if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            guess, remedy = ", it begins like UTF-16", "Give --encoding utf-16"
        file.seek(0)
        line = 1
        for line, raw in enumerate(file, start=1):  # noqa: B007  # the line is wanted after the loop
            try:
                raw.decode(encoding)
            except UnicodeError:
                break
    problem = Problem(
        lines=(line,),
        rule=f"not {encoding} text{guess}",
        remedy=remedy,
    )
    return ManifestError.of(path, [problem])


def _records(path: Path, reader: Any, *, foreign: bool) -> Manifest:
    problems: list[Problem] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, foreign=foreign)
        lines = array("i")
        codes = [array("i") for _ in header]
        # Each number is given at the first look at its cell.
        index: list[defaultdict[str, int]] = [defaultdict(count().__next__) for _ in header]
        for records in _of_right_length(reader, len(header), lines, problems):
            for known, own, cells in zip(index, codes, zip(*records, strict=True), strict=True):
                own.extend(map(known.__getitem__, cells))
    except csv.Error as error:
        problem = Problem(
            lines=(reader.line_num,),
            rule=f"the CSV is broken here: {error}",
            remedy='Put cells that hold a comma, quote or line end in double quotes, and write a quote inside as ""',
        )
        raise ManifestError.of(path, [problem, *problems]) from error
    if problems:
        raise ManifestError.of(path, problems)
    columns = {
        name: Column(np.frombuffer(own, dtype=np.int32), list(known))
        for name, own, known in zip(header, codes, index, strict=True)
    }
    return Manifest(path, columns, np.frombuffer(lines, dtype=np.int32))


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
            remedy="Give each row as many cells as the header has names; quote cells that hold a comma",
        )
        for line, record in records
        if len(record) not in {0, width}
    ]


def _check_header(path: Path, header: list[str], *, foreign: bool) -> None:
    problems = []
    if len(header) > _MAX_COLUMNS:
        problem = Problem(
            lines=(1,), rule=f"{len(header)} columns are more than {_MAX_COLUMNS}", remedy="Leave the others out"
        )
        raise ManifestError.of(path, [problem])
    problems += [
        Problem(lines=(1,), column=name, rule="the name stands twice in the header", remedy="Keep one of the columns")
        for name in dict.fromkeys(header)
        if name and header.count(name) > 1
    ]
    if len(header) == 1 and (divider := next((sign for sign in ";\t|" if sign in header[0]), "")):
        rule = f"the whole header is one name, whose parts are divided by {divider!r}"
        problems.append(Problem(lines=(1,), value=header[0], rule=rule, remedy="Save the file with commas"))
    elif dictionary.SOURCE not in header and not foreign:
        remedy = "Name the column that holds the image paths `source`"
        problems.append(Problem(lines=(1,), rule="the header has no column `source`", remedy=remedy))
    if problems:
        raise ManifestError.of(path, problems)


def _with_defaults(manifest: Manifest, settings: ManifestSettings) -> Manifest:
    """Return the manifest with unwanted columns left out, `--set` values filled in, and spaces that say nothing cut off."""
    wanted = {name: column for name, column in manifest.columns.items() if name not in settings.ignore_columns}
    columns = {name: column.mapped(lambda cell: cell.strip(" "), ("\n ", " \n")) for name, column in wanted.items()}
    for name, default in settings.defaults:
        present = columns.get(name) or Column.constant("", len(manifest))
        columns[name] = present.mapped(_filled_with(default))
    return Manifest(manifest.path, columns, manifest.lines)


def _filled_with(default: str) -> Callable[[str], str]:
    return lambda cell: cell or default
