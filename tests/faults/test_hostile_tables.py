"""Tables made to exhaust whoever reads them end with one clear error, in bounded time and memory."""

from __future__ import annotations

import json
import sys
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import measure

MANY = 10**6
LONG = 100_000_000
MOST_S, MOST_MB = 60, 1500


def checked(path, *options: str) -> tuple[int, str]:
    """Return exit code and messages of a check; its processor time and memory are bounded."""
    done = measure.run(sys.executable, "-m", "bulkdcm", "check", path, *options)
    assert done.cpu_s < MOST_S
    assert done.peak_mb < MOST_MB
    return done.returncode, done.output


def csv(text: str):
    return lambda folder: (folder / "m.csv").write_text(text, encoding="utf-8")


def jsonl(text: str):
    return lambda folder: (folder / "m.jsonl").write_text(text, encoding="utf-8")


def many_rows(folder):
    once = pa.array(["a.png"])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 10**7, pa.int32()), once)
    schema = pa.schema([("source", column.type)])
    with pq.ParquetWriter(folder / "m.parquet", schema, compression="zstd") as writer:
        for _ in range(11):
            writer.write_table(pa.Table.from_arrays([column], schema=schema))


def large_cell(folder):
    pq.write_table(pa.table({"source": ["a.png"], "PatientID": ["x" * LONG]}), folder / "m.parquet", compression="zstd")


def wide_parquet(folder):
    pq.write_table(pa.table({f"c{n}": ["x"] for n in range(20_000)}), folder / "m.parquet")


def bomb(member: str, size_bytes: int):
    def write(folder):
        book = openpyxl.Workbook()
        book.active.append(["source"])
        book.save(folder / "m.xlsx")
        archive = zipfile.ZipFile(folder / "m.xlsx", "a", zipfile.ZIP_DEFLATED)
        with archive, archive.open(member, "w", force_zip64=True) as part:
            for _ in range(size_bytes // 2**24):
                part.write(bytes(2**24))

    return write


SHEET = "xl/worksheets/sheet1.xml"


def changed_sheet(folder, change):
    book = openpyxl.Workbook()
    book.active.append(["source", "PatientID"])
    book.active.append(["a.png", "y"])
    book.save(folder / "m.xlsx")
    with zipfile.ZipFile(folder / "m.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    before = parts[SHEET]
    parts[SHEET] = change(before)
    assert parts[SHEET] != before
    with zipfile.ZipFile(folder / "m.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def large_workbook_cell(folder):
    changed_sheet(folder, lambda sheet: sheet.replace(b">y<", b">" + b"y" * LONG + b"<"))


def entities(folder):
    declared = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE worksheet [<!ENTITY e0 "lol">{declared}]>'.encode()
    changed_sheet(folder, lambda sheet: head + sheet.replace(b">y<", b">&e11;<"))


HOSTILE = {
    "a cell of 100 MB": (csv(f"source,PatientID\na.png,{'x' * LONG}\n"), "line 2"),
    "a quoted cell of 100 MB": (
        csv(f'source,PatientID\na.png,"{"x" * 79 + chr(10)}'.replace("\n", "\n") + "x\n" * (LONG // 2)),
        "broken here",
    ),
    "a header of 100 MB": (csv(f'"{"x" * LONG}"\n'), "broken here"),
    "a million columns": (csv(",".join(f"c{n}" for n in range(MANY)) + "\n"), "1,000,000 columns"),
    "quotes that never end": (csv('source,PatientID\n"a.png,1\n' + "b.png,2\n" * 3 * MANY), "broken here"),
    "many delimiters": (csv("source" + ";|\t," * 100_000 + "\n"), "columns are more than"),
    "a JSON cell of 100 MB": (jsonl(f'{{"source": "{"x" * LONG}"}}\n'), "line 1"),
    "a million JSON names": (
        jsonl(json.dumps(dict.fromkeys(map(str, range(MANY)), 1)) + "\n"),
        "columns are more than",
    ),
    "a new JSON name a line": (
        jsonl("".join(f'{{"source": "a", "c{n}": 1}}\n' for n in range(10_000))),
        "more than 1,000",
    ),
    "deep JSON": (jsonl('{"source":' * 100_000 + "1" + "}" * 100_000 + "\n"), "nested too deeply"),
    "110 million rows of Parquet": (many_rows, "110,000,000 rows are more than"),
    "a Parquet cell of 100 MB": (large_cell, "100,000,000 characters"),
    "20,000 columns of Parquet": (wide_parquet, "20,000 columns"),
    "a workbook's texts of 600 MB": (bomb("xl/sharedStrings.xml", 600 * 2**20), "unpacks to more"),
    "a workbook's cell of 100 MB": (large_workbook_cell, "100,000,000 characters"),
    "entities of entities": (entities, "the workbook is damaged"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_table_is_one_error(kind, tmp_path):
    write, words = HOSTILE[kind]
    write(tmp_path)
    code, said = checked(next(tmp_path.glob("m.*")))
    errors = [line for line in said.splitlines() if line.startswith("error")]
    assert code == 3
    assert len(errors) == 1
    assert words in errors[0]
    assert len(errors[0]) < 1000
    assert "Traceback" not in said


@pytest.mark.parametrize("pattern", ["(a+)+b", "^(([a-z])+.)+[A-Z]$", r"(.*?,){40}P", "(x+x+)+y"])
def test_a_pattern_that_may_take_for_ever_is_refused_before_any_cell_is_looked_at(pattern, tmp_path):
    (tmp_path / "m.csv").write_text(f"f\n{'a' * 50_000}\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text(f"[columns]\nsource = {{ column = 'f', take = '{pattern}' }}\n", encoding="utf-8")
    code, said = checked(tmp_path / "m.csv", "--mapping", str(tmp_path / "m.toml"))
    assert code == 2
    assert "columns.source.take" in said
