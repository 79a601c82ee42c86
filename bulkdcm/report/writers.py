"""The report's files, one writer each: what it is called, how it is written, and how one of ours is known again.

The names that no output may have follow from `WRITERS`.
"""

from __future__ import annotations

import csv
import json
import stat
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from itertools import chain, repeat
from typing import IO, TYPE_CHECKING, Protocol

from bulkdcm.errors import StorageError
from bulkdcm.ledger.seals import texts_of
from bulkdcm.printable import ERRORS
from bulkdcm.report.columns import COLUMNS
from bulkdcm.report.html import GENERATOR, Page
from bulkdcm.report.parquet import ParquetFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bulkdcm.ledger.block import Block
    from bulkdcm.report.columns import ReportColumn
    from bulkdcm.report.report import Report
    from bulkdcm.stores import Store

# Those of the first release; later ones only add.
_FIRST = [column.name for column in COLUMNS[:4]]
_COUNTS = {"rows", "converted", "failed", "pending"}
PAGE, TABLE, SUMMARY = "report.html", "report.csv", "summary.json"
_QUOTED, _FORMULA_STARTS, _APOSTROPHE = ',"\r\n', "=+-@\t\r\n", "'"
_BEGINNING = 1000  # bytes of a page, in which it says what it is
_STARTS = frozenset(_FORMULA_STARTS)


class Writer(Protocol):
    """One kind of file."""

    def available(self) -> bool:
        """Whether what it is written with is installed."""
        ...

    def writing(self, report: Report, file: IO[bytes]) -> AbstractContextManager[Callable[[Block], object]]:
        """Return what takes the report's rows, block by block, into a file that is open; at its end the report's counts are known."""
        ...

    def recognise(self, path: Path) -> bool:
        """Whether a regular file that isn't empty is one of ours, which a run may replace."""
        ...


class _Csv:
    """``report.csv``: a line a row, for people and their spreadsheets."""

    def available(self) -> bool:
        """Return True."""
        return True

    @contextmanager
    def writing(self, report: Report, file: IO[bytes]) -> Iterator[Callable[[Block], object]]:
        """Write the lines as pandas would, in a fraction of its time."""
        del report
        file.write((",".join(column.name for column in COLUMNS) + "\n").encode())
        yield lambda block: file.write(_lines(block).encode("utf-8", ERRORS))

    def recognise(self, path: Path) -> bool:
        """Whether the header begins as ours does."""
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            first = file.readline(10_000)
        try:
            return next(csv.reader([first]), [])[: len(_FIRST)] == _FIRST
        except csv.Error:
            return False


class _Parquet:
    """``report.parquet``: the table with its types, for programs."""

    def available(self) -> bool:
        """Whether pyarrow is there."""
        return find_spec("pyarrow") is not None

    @contextmanager
    def writing(self, report: Report, file: IO[bytes]) -> Iterator[Callable[[Block], object]]:
        """Write the rows."""
        del report
        with closing(ParquetFile(file)) as parquet:
            yield parquet.take

    def recognise(self, path: Path) -> bool:
        """Whether the columns are ours; where they can't be read, none is written either."""
        try:
            from pyarrow import ArrowException, parquet  # noqa: PLC0415  # an extra, and slow to import
        except ImportError:
            return True
        try:
            with path.open("rb") as file:
                return set(_FIRST) <= set(parquet.read_schema(file).names)
        except ArrowException:
            return False


class _Summary:
    """``summary.json``: counts, causes and rates."""

    def available(self) -> bool:
        """Return True."""
        return True

    @contextmanager
    def writing(self, report: Report, file: IO[bytes]) -> Iterator[Callable[[Block], object]]:
        """Write the summary once all rows are counted."""
        yield _uncounted
        text = json.dumps(report.summary(), indent=2, ensure_ascii=False) + "\n"
        file.write(text.encode("utf-8", ERRORS))

    def recognise(self, path: Path) -> bool:
        """Whether the counts of rows are there."""
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and found.keys() >= _COUNTS


class _Html:
    """``report.html``: the page that people look at."""

    def available(self) -> bool:
        """Whether Jinja2 is there."""
        return find_spec("jinja2") is not None

    @contextmanager
    def writing(self, report: Report, file: IO[bytes]) -> Iterator[Callable[[Block], object]]:
        """Write the page once all rows have gone by."""
        page = Page(report)
        yield page.take
        page.write(file)

    def recognise(self, path: Path) -> bool:
        """Whether it says that it is a report of ours."""
        with path.open("rb") as file:
            return f'<meta name="generator" content="{GENERATOR}">'.encode() in file.read(_BEGINNING)


WRITERS: dict[str, Writer] = {
    TABLE: _Csv(),
    "report.parquet": _Parquet(),
    SUMMARY: _Summary(),
    PAGE: _Html(),
}
"""By the name of the file; none other may be written into the output folder."""


def write(report: Report, outputs: Store, names: Collection[str] = WRITERS.keys()) -> None:
    """Go over the rows of a report once, and write every file of it.

    Parameters
    ----------
    report
        The report.
    outputs
        Where the files go.
    names
        Of the files, if not all of them.

    Raises
    ------
    StorageError
        If one can't be written.
    """
    changes = report.changes
    with ExitStack() as opened:
        takers: list[Callable[[Block], object]] = []
        for name, writer in reversed(WRITERS.items()):  # what is opened last is the first to get its name
            if name in names and writer.available():
                file = opened.enter_context(outputs.writing(name))
                takers.append(opened.enter_context(writer.writing(report, file)))
        if changes:
            opened.callback(changes.close)  # before the files are finished
            takers.append(changes.take)
        for block in report.rows:
            for take in takers:
                take(block)


def refuse_foreign(folder: Path) -> None:
    """Refuse an output folder where a report would replace a file that is none.

    Raises
    ------
    StorageError
        If there is one; names it.
    """
    for name, writer in WRITERS.items():
        path = folder / name
        try:
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and (not found.st_size or writer.recognise(path)):
                continue
        except FileNotFoundError:
            continue
        except OSError as error:
            msg = f"{path}: {error.strerror}, so it can't be seen whether it is a report of bulkdcm. Mend it, or move it away."
            raise StorageError(msg) from error
        msg = f"{path} is no report of bulkdcm, and the run would replace it. Move it away, or use another --out."
        raise StorageError(msg)


def _uncounted(_: Block) -> None:
    """Take rows that are counted without a writer's doing."""


def _lines(block: Block) -> str:
    """Return rows as CSV has them; what they share is made into text once."""
    pieces: list[Iterable[str]] = []
    shared = ""
    for column in COLUMNS:
        if column.name in block.varying:
            pieces += [repeat(shared), _cells(block, column)]
            shared = ""
        elif (value := block.same[column.name]) is not None:
            shared += _cell(value) if column.dtype == "string" else repr(value)
        shared += ","
    pieces.append(repeat(f"{shared[:-1]}\n", block.count))
    return "".join(chain.from_iterable(zip(*pieces, strict=False)))


def _cells(block: Block, column: ReportColumn) -> Sequence[str]:
    """Return a column's cells as CSV has them (RFC 4180); before what a spreadsheet would run as a formula, an apostrophe (OWASP)."""
    values = block.varying[column.name]
    if column.dtype != "string":
        if None in values:
            return ["" if value is None else repr(value) for value in values]
        return texts_of(block, column.name)
    texts = [text or "" for text in values] if None in values else values
    together = "\0".join(["", *texts])
    # A single character is found several times as quickly as one after another.
    if any(character in together for character in _QUOTED) or any(
        start in together and f"\0{start}" in together for start in (*_FORMULA_STARTS, _APOSTROPHE)
    ):
        return [_cell(text) for text in texts]
    return texts  # as of nearly every column


def _cell(text: str) -> str:
    # After any apostrophes, so that they can be told from the text's own.
    harmless = f"'{text}" if text.lstrip("'")[:1] in _STARTS else text
    quoted = any(character in harmless for character in _QUOTED)
    return '"' + harmless.replace('"', '""') + '"' if quoted else harmless
