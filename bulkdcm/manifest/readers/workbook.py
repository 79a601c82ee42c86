"""Excel workbooks to columns: what each cell holds, not how it is shown, but for zeros in front.

openpyxl knows a cell's format, by which a number is a date, or a number with zeros before it; faster readers don't tell.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from array import array
from itertools import takewhile
from typing import IO, TYPE_CHECKING, Any

from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.header import MOST_COLUMNS, understood
from bulkdcm.manifest.readers import merged_cells
from bulkdcm.manifest.readers.growing import Growing, grown
from bulkdcm.manifest.readers.text import Uncertain, UnclearError, text_of
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bulkdcm.manifest.readers.base import Form
    from bulkdcm.manifest.readers.merged_cells import Merged
    from bulkdcm.manifest.table import Manifest

_ZIP = b"PK\x03\x04"
_ZEROS = re.compile(r"0{2,}")
_FORM_PARTS = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]|.', re.DOTALL)
_MOST_BYTES, _MOST_TEXT_BYTES = 4 * 2**30, 2**29
_MOST_ROWS = 1_048_576  # of a sheet
_TEXTS, _SHEETS = "xl/sharedStrings.xml", "xl/worksheets/"
_FORMULA = re.compile(rb"<f[ />]")
_PEEK_ROWS, _PIECE_BYTES = 100, 2**20
_NO_VALUE = "a formula without a value: the program that wrote the file didn't calculate it"
_REMEDY = "Open and save the workbook in a spreadsheet program, or save the sheet as CSV (UTF-8)"


def fits(name: str, head: bytes) -> bool:
    """See `Reader`; what other zip archives are has been said before."""
    del name
    return head.startswith(_ZIP)


def read(path: Path, file: IO[bytes], form: Form) -> Manifest:
    """Return a sheet of an Excel workbook as columns; see `Reader`.

    Raises
    ------
    ManifestError
        If it is damaged, nothing tells which sheet is meant, or a cell holds what no text is certain for.
    SettingsError
        If openpyxl isn't installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        msg = f"{path}: Excel workbooks need openpyxl: pip install bulkdcm[excel]. Or save the sheet as CSV (UTF-8)."
        raise SettingsError(msg) from error
    try:
        has_formulas = _looked_at(path, file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a workbook has beside its cells
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet = _sheet(path, book, form.sheet)
            formulas = None
            if has_formulas:
                formulas = openpyxl.load_workbook(file, read_only=True, data_only=False)[sheet.title]
            merged = merged_cells.ranges(file, sheet._worksheet_path)  # noqa: SLF001  # nothing public tells it
            return _table(path, sheet, formulas, form, merged)
    except (ManifestError, SettingsError):
        raise
    except Exception as error:  # a damaged part fails in many ways
        said = str(error).strip().splitlines()[0][:200].rstrip(".") if str(error).strip() else type(error).__name__
        msg = f"{path}: the workbook is damaged, or not what it says: {said}. Save it again, or save the sheet as CSV (UTF-8)."
        raise ManifestError(msg) from error


def _looked_at(path: Path, file: IO[bytes]) -> bool:
    """Return whether a workbook may hold formulas; refuse what would unpack to more than memory holds."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        texts = sum(member.file_size for member in members if member.filename == _TEXTS)
        if texts > _MOST_TEXT_BYTES or sum(member.file_size for member in members) > _MOST_BYTES:
            msg = f"{path}: it unpacks to more than a workbook may hold. Save the sheet as CSV (UTF-8)."
            raise ManifestError(msg)
        for member in members:
            if member.filename.startswith(_SHEETS):
                with archive.open(member) as part:
                    before = b""
                    while piece := part.read(_PIECE_BYTES):
                        if _FORMULA.search(before + piece):
                            return True
                        before = piece[-3:]
    return False


def _sheet(path: Path, book: Any, name: str) -> Any:
    """Return the sheet that is asked for, else the only one that holds something."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    for sheet in sheets.values():
        sheet.reset_dimensions()  # what a file says of its own size may be anything
    if name:
        if name not in sheets:
            msg = f"{path}: it has no sheet {name!r}. It has {', '.join(map(repr, sheets))}."
            raise SettingsError(msg)
        return sheets[name]
    filled = [sheet for sheet in sheets.values() if sheet.sheet_state == "visible" and _holds(sheet)]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        hidden = next((sheet.title for sheet in sheets.values() if _holds(sheet)), "")
        msg = f"{path}: none of its sheets holds anything. The first row names the columns, one of them `source`."
        if hidden:
            msg = f"{path}: only hidden sheets hold something. Name one with --sheet {hidden!r}."
        raise ManifestError(msg)
    told = ", ".join(repr(sheet.title) for sheet in filled)
    msg = f"{path}: it has {len(filled)} sheets, {told}. Name one with --sheet {filled[0].title!r}."
    raise ManifestError(msg)


def _holds(sheet: Any) -> bool:
    rows = sheet.iter_rows(max_row=_PEEK_ROWS, values_only=True)
    return any(value is not None for row in rows for value in row)


def _table(path: Path, sheet: Any, formulas: Any, form: Form, merged: Sequence[Merged]) -> Manifest:
    rows = _numbered(path, sheet, formulas)
    problems: list[Problem] = []
    first: Sequence[Any] = ()
    if form.header is None:
        line, first = next(rows, (1, ()))
        header = [_header(path, line, value) for value in _trimmed(first)]
    else:
        header = list(form.header)
    names, notes = understood(path, header, form)
    columns = [Growing() for _ in names]
    lines = array("i")
    for line, values in rows:
        cells = _trimmed(values)
        if len(cells) > len(names):
            problems.append(
                Problem(
                    lines=(line,),
                    rule=f"{len(cells)} cells under {len(names)} column names",
                    remedy="Name each column in the first row",
                )
            )
            if len(cells) > MOST_COLUMNS:  # and so may a million rows, each of which takes its time
                break
            continue
        for column, value in zip(columns, cells, strict=False):
            column.put(len(lines), value)
        lines.append(line)
    problems += merged_cells.problems(merged, list(zip(names, columns, strict=True)), lines)
    if problems:
        raise ManifestError.of(path, problems)
    wanted = {name: column for name, column in zip(names, columns, strict=True) if name or column.holds}
    return grown(path, wanted, lines, notes)


def _header(path: Path, line: int, value: Any) -> str:
    try:
        return text_of(value)
    except UnclearError as error:
        raise ManifestError.of(path, [Problem(lines=(line,), rule=error.rule, remedy=error.remedy)]) from error


def _trimmed(values: Sequence[Any]) -> Sequence[Any]:
    """Return a row without the empty cells at its end."""
    last = len(values)
    while last and values[last - 1] is None:
        last -= 1
    return values[:last]


def _numbered(path: Path, sheet: Any, formulas: Any) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows that hold something, each with its number."""
    others = formulas.iter_rows() if formulas is not None else None
    if formulas is not None:
        formulas.reset_dimensions()
    for line, row in enumerate(sheet.iter_rows(), start=1):
        if line > _MOST_ROWS:
            msg = f"{path}: more than {_MOST_ROWS:,} rows, which no sheet has."
            raise ManifestError(msg)
        values = [_value(cell) for cell in row]
        if others is not None:
            for index, (cell, other) in enumerate(zip(row, next(others, ()), strict=False)):
                # One that gives an empty text has a cell of the kind `str`, without a value too.
                if cell.value is None and other.data_type == "f" and cell.data_type != "str":
                    values[index] = Uncertain(_NO_VALUE, _REMEDY)
        if any(value is not None for value in values):
            yield line, values


def _value(cell: Any) -> Any:
    """Return what a cell holds: a number with zeros in front as it is shown."""
    value = cell.value
    if value is None or type(value) is str:
        return (
            Uncertain(f"a formula's error, {value}", "Correct it in the workbook") if cell.data_type == "e" else value
        )
    return _with_zeros(value, str(cell.number_format)) if type(value) is int and value >= 0 else value


def _with_zeros(number: int, form: str) -> Any:
    """Return a whole number with the zeros in front that its format shows."""
    if "00" not in form:
        return number
    parts = takewhile(lambda part: part != ";", _FORM_PARTS.findall(form))
    shown = [part for part in parts if part[0] not in "[_*"]  # colours and spaces aside
    if _ZEROS.fullmatch("".join(shown)):
        return str(number).zfill(len(shown))
    digits = [part for part in shown if part in "0#?.,%eE/"]
    if set(digits) & set(".%eE/") or digits.count("0") <= len(str(number)):
        return number
    return Uncertain(f"a number with zeros in front by its format {form!r}", "Store the column as text")
