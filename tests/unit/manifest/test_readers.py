"""Tables of every format to the same columns of text."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulkdcm import manifest
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest import readers
from bulkdcm.manifest.readers import Form, data_frame, read_table
from bulkdcm.manifest.readers.text import UnclearError, text_of
from bulkdcm.settings import Settings

TEXTS = [
    ("00123", "00123"),
    (" NA ", " NA "),
    (None, ""),
    (float("nan"), ""),
    (pd.NaT, ""),
    (pd.NA, ""),
    (np.datetime64("NaT", "ns"), ""),
    (7, "7"),
    (-7, "-7"),
    (999_999_999_999_999, "999999999999999"),
    (45.0, "45"),
    (0.143, "0.143"),
    (0.1 + 0.2, "0.3"),
    (np.float32(0.19531), "0.19531"),
    (np.float32(16_777_215), "16777215"),
    (np.float16(0.1), "0.1"),
    (decimal.Decimal("1.2345678901234567890123456789012345678"), "1.2345678901234567890123456789012345678"),
    (decimal.Decimal("NaN"), ""),
    (np.int64(5), "5"),
    (True, "True"),
    (np.bool_(0), "False"),
    (decimal.Decimal("0.14300"), "0.143"),
    (dt.date(2023, 7, 26), "20230726"),
    (dt.date(903, 7, 26), "09030726"),
    (dt.datetime(2023, 7, 26), "20230726"),  # noqa: DTZ001  # as most tables have them
    (dt.datetime(2023, 7, 26, 10, 15), "20230726101500"),  # noqa: DTZ001  # as above
    (dt.datetime(2023, 7, 26, 0, 0, tzinfo=dt.UTC), "20230726000000+0000"),
    (pd.Timestamp("2023-07-26 10:15:30.5"), "20230726101530.500000"),
    (dt.time(9, 5), "090500"),
]
UNCLEAR = [
    (10**15, "more than 15 digits"),
    (1.2345e17, "more than 15 digits"),
    (decimal.Decimal(10**15), "more than 15 digits"),
    (np.float32(16_777_217), "of 32 bits"),
    (np.float16(2049), "of 16 bits"),
    (float("inf"), "without bounds"),
    (1j, "complex"),
    ("im/\udcfc.png", "half a character, '\\udcfc'"),
    (b"x", "bytes"),
    ([1, 2], "a list"),
    ({"a": 1}, "a table"),
    (dt.timedelta(1), "timedelta"),
    ("x" * 131_073, "131,073 characters"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=[f"{type(value).__name__} {text}" for value, text in TEXTS])
def test_one_rule_makes_text_of_every_value(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize(("value", "words"), UNCLEAR, ids=[words for _, words in UNCLEAR])
def test_a_value_that_no_text_is_certain_for_says_so(value, words):
    with pytest.raises(UnclearError, match=r"\w") as caught:
        text_of(value)
    assert words in str(caught.value)


def cells(found) -> dict[str, list[str]]:
    return {name: [column[ordinal] for ordinal in range(len(found))] for name, column in found.columns.items()}


FRAME = pd.DataFrame(
    {
        "source": ["a.png", "b.png", "c.png"],
        "PatientID": ["00123", None, "7"],
        "InstanceNumber": [1, 2, 3],
        "PatientWeight": [70.0, np.nan, 71.5],
        "StudyDate": pd.to_datetime(["2023-07-26", None, "2023-07-27"]),
        "mixed": [1, True, 1.0],
        "word": pd.Categorical(["x", "y", "x"]),
        "whole": pd.array([1, None, 3], dtype="Int64"),
    }
)
EXPECTED = {
    "source": ["a.png", "b.png", "c.png"],
    "PatientID": ["00123", "", "7"],
    "InstanceNumber": ["1", "2", "3"],
    "PatientWeight": ["70", "", "71.5"],
    "StudyDate": ["20230726", "", "20230727"],
    "mixed": ["1", "True", "1"],
    "word": ["x", "y", "x"],
    "whole": ["1", "", "3"],
}


def workbook(path, sheets: dict[str, list[list[object]]], formats: dict[str, str] | None = None):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for place, form in (formats or {}).items():
            sheet[place].number_format = form
    book.save(path)
    return path


def saved(frame: pd.DataFrame, path, suffix: str):
    target = path / f"m{suffix}"
    if suffix == ".xlsx":
        rows = [[None if pd.isna(value) else value for value in row] for row in frame.itertuples(index=False)]
        return workbook(target, {"rows": [list(frame.columns), *rows]})
    if suffix == ".parquet":
        frame.drop(columns="mixed").to_parquet(target)
    elif suffix == ".arrow":
        table = pa.Table.from_pandas(frame.drop(columns="mixed"))
        with pa.ipc.new_file(target, table.schema) as file:
            file.write_table(table)
    else:
        records = frame.astype({"StudyDate": str}).replace({"StudyDate": {"NaT": None}}).to_dict("records")
        lines = [{key: None if pd.isna(value) else value for key, value in record.items()} for record in records]
        text = "\n".join(json.dumps(line, default=lambda value: value.item()) for line in lines)
        target.write_text(text.replace("2023-07-26", "20230726").replace("2023-07-27", "20230727"), encoding="utf-8")
    return target


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".arrow", ".jsonl"])
def test_every_format_gives_the_same_columns(suffix, tmp_path):
    found = read_table(saved(FRAME, tmp_path, suffix), Form(foreign=True))
    expected = {name: column for name, column in EXPECTED.items() if name in found.columns}
    assert cells(found) == expected
    assert len(expected) >= len(EXPECTED) - 1
    assert found.lines.tolist() == ([2, 3, 4] if suffix == ".xlsx" else [1, 2, 3])


def test_a_data_frame_gives_the_same_columns():
    assert cells(data_frame.read(FRAME, Form(foreign=True))) == EXPECTED


EAST, WEST = (dt.timezone(dt.timedelta(hours=hours)) for hours in (1, -1))
NOON = dt.datetime(2023, 7, 26, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (np.array([0.1, 0.5], dtype=np.float32), ["0.1", "0.5"]),
        (np.array([0.1, 0.5], dtype=np.float16), ["0.1", "0.5"]),
        (pd.array([0.1, None], dtype="Float32"), ["0.1", ""]),
        (pd.array([0.1, None], dtype=pd.ArrowDtype(pa.float32())), ["0.1", ""]),
        (pd.Categorical(np.array([0.1, 0.1], dtype=np.float32)), ["0.1", "0.1"]),
        (
            pd.Series([NOON.astimezone(EAST), NOON.astimezone(WEST)], dtype=object),
            ["20230726130000+0100", "20230726110000-0100"],
        ),
    ],
)
def test_a_data_frame_s_values_are_those_that_it_shows(column, texts):
    found = data_frame.read(pd.DataFrame({"source": ["a", "b"], "v": column}), Form(foreign=True))
    assert cells(found)["v"] == texts


def test_a_data_frame_s_lists_and_lost_digits_are_said():
    frame = pd.DataFrame(
        {
            "source": ["a", "b"],
            "list": pd.array([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
            "id": np.array([123456789, 1], dtype=np.float32),
        }
    )
    with pytest.raises(ManifestError) as caught:
        data_frame.read(frame, Form())
    assert [(problem.column, problem.lines) for problem in caught.value.problems] == [("list", (1,)), ("id", (1,))]


def test_a_series_is_no_manifest():
    with pytest.raises(SettingsError, match=r"the manifest is a Series\. Give a path, or a pandas DataFrame"):
        manifest.read(FRAME["source"], Settings.of())


def test_a_manifest_may_be_a_data_frame():
    found = manifest.read(FRAME[["source", "PatientID"]], Settings.of(defaults={"PatientID": "x"}))
    assert cells(found) == {"source": EXPECTED["source"], "PatientID": ["00123", "x", "7"]}


def test_what_is_unclear_is_said_with_its_column_and_lines(tmp_path):
    frame = pd.DataFrame({"source": ["a", "b"], "PatientID": [10**15, 1]})
    for read in (
        lambda: data_frame.read(frame, Form()),
        lambda: read_table(saved(frame.assign(StudyDate=pd.NaT, mixed=1), tmp_path, ".parquet"), Form()),
    ):
        with pytest.raises(ManifestError, match=r"line 1, column PatientID: .*more than 15 digits") as caught:
            read()
        assert len(caught.value.problems) == 1


# Workbooks


def test_zeros_in_front_that_a_format_shows_are_kept(tmp_path):
    rows = [["source", "PatientID", "AccessionNumber"], ["a.png", 123, 45], ["b.png", 7, 6]]
    path = workbook(tmp_path / "m.xlsx", {"a": rows}, {"B2": "00000", "B3": "00000", "C2": "0"})
    assert cells(read_table(path, Form()))["PatientID"] == ["00123", "00007"]
    assert cells(read_table(path, Form()))["AccessionNumber"] == ["45", "6"]


FORMS = [
    ("0000;-0000", "0012"),
    ("[Red]0000_)", "0012"),
    ('"P"0000', None),
    ("000-00", None),
    ("00-0", None),
    ("0-0", "12"),
    ("00.00", "12"),
    ("000%", "12"),
    ('0" mm, 0000"', "12"),
    ("General;0000", "12"),
]


@pytest.mark.parametrize(("form", "text"), FORMS)
def test_zeros_in_front_are_kept_or_said_whatever_the_format(form, text, tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source", "PatientID"], ["a.png", 12]]}, {"B2": form})
    if text:
        assert cells(read_table(path, Form()))["PatientID"] == [text]
    else:
        with pytest.raises(
            ManifestError, match=r"line 2, column PatientID: a number with zeros in front by its format"
        ):
            read_table(path, Form())


def test_merged_cells_are_said_if_they_hold_something(tmp_path):
    rows = [["source", "PatientID", "StudyID"], ["a.png", "P1", 1], ["b.png", None, None], ["c.png", "P2", 3]]
    path = workbook(tmp_path / "m.xlsx", {"a": rows})
    book = openpyxl.load_workbook(path)
    for places in ("D1:E1", "B2:B3", "E2:F9", "C3:C3"):
        book.active.merge_cells(places)
    book.save(path)
    with pytest.raises(ManifestError, match=r"lines 2, 3, column PatientID: merged cells, of which only the first"):
        read_table(path, Form())
    book.active.unmerge_cells("B2:B3")
    book.active["B3"] = "P1"
    book.save(path)
    assert cells(read_table(path, Form()))["PatientID"] == ["P1", "P1", "P2"]


def test_a_formula_that_gives_an_empty_text_is_empty(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source", "PatientID"], ["a.png", '=""'], ["b.png", "2"]]})
    as_excel_writes_it = b'<c r="B2" t="str"><f>""</f><v></v></c>'
    rewritten(path, "xl/worksheets/sheet1.xml", lambda data: re.sub(rb'<c r="B2".*?</c>', as_excel_writes_it, data))
    assert cells(read_table(path, Form()))["PatientID"] == ["", "2"]


def test_hidden_sheets_are_named_if_they_alone_hold_something(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"seen": [], "kept": [["source"], ["a.png"]]})
    book = openpyxl.load_workbook(path)
    book["kept"].sheet_state = "hidden"
    book.save(path)
    with pytest.raises(ManifestError, match=r"only hidden sheets hold something\. Name one with sheet='kept'"):
        read_table(path, Form())
    assert cells(read_table(path, Form(sheet="kept"))) == {"source": ["a.png"]}


def test_a_formula_without_a_value_is_an_error(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source", "PatientID"], ["a.png", "=1+1"], ["b.png", "2"]]})
    with pytest.raises(ManifestError, match="line 2, column PatientID: a formula without a value"):
        read_table(path, Form())


def test_a_formula_with_its_value_is_that(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source", "PatientID"], ["a.png", "=1+1"]]})
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)
    assert cells(read_table(path, Form()))["PatientID"] == ["2"]


def test_a_formula_s_error_is_said(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source", "PatientID"], ["a.png", "#N/A"]]})
    with pytest.raises(ManifestError, match="a formula's error, #N/A"):
        read_table(path, Form())


def test_the_sheet_that_holds_something_is_taken_or_one_is_named(tmp_path):
    rows = [["source"], ["a.png"]]
    path = workbook(tmp_path / "m.xlsx", {"empty": [], "rows": rows})
    assert cells(read_table(path, Form())) == {"source": ["a.png"]}
    path = workbook(tmp_path / "n.xlsx", {"one": rows, "two": [["source"], ["b.png"]]})
    with pytest.raises(ManifestError, match=r"2 sheets, 'one', 'two'\. Name one with sheet='one'"):
        read_table(path, Form())
    assert cells(read_table(path, Form(sheet="two"))) == {"source": ["b.png"]}
    with pytest.raises(SettingsError, match="no sheet 'three'"):
        read_table(path, Form(sheet="three"))
    with pytest.raises(ManifestError, match="none of its sheets"):
        read_table(workbook(tmp_path / "o.xlsx", {"a": []}), Form())


def test_empty_rows_and_columns_of_a_workbook_are_none(tmp_path):
    rows = [["source", "PatientID", None], ["a.png", None, None], [None] * 3, ["b.png", "2", None]]
    found = read_table(workbook(tmp_path / "m.xlsx", {"a": rows}), Form())
    assert (cells(found), found.lines.tolist()) == ({"source": ["a.png", "b.png"], "PatientID": ["", "2"]}, [2, 4])


def test_a_cell_without_a_name_above_is_said_with_its_row(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source"], ["a.png"], ["b.png", None, "x"]]})
    with pytest.raises(ManifestError, match="line 3: 3 cells under 1 column names"):
        read_table(path, Form())


def test_a_row_of_more_columns_than_are_read_ends_it(tmp_path):
    rows = [["source"], ["a.png"], ["b.png", *[None] * 1000, 1], ["c.png", *[None] * 1000, 1]]
    with pytest.raises(ManifestError, match="line 3: 1002 cells under 1 column names"):
        read_table(workbook(tmp_path / "m.xlsx", {"a": rows}), Form())


@pytest.mark.parametrize("cut", [40, 400, 2000])
def test_a_damaged_workbook_is_one_error(cut, tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source"], ["a.png"]]})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ManifestError):
        read_table(path, Form())


def rewritten(path, name: str, change):
    with zipfile.ZipFile(path) as book:
        parts = {part: book.read(part) for part in book.namelist()}
    parts[name] = change(parts.get(name, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, data in parts.items():
            book.writestr(part, data)


def test_texts_that_cells_share_are_read(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source", "PatientID"], ["a.png", "00123"]]})
    texts = ["source", "PatientID", "a.png", "00123"]
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    cells_of = "".join(f"<si><t>{text}</t></si>" for text in texts)
    shared = f'<sst xmlns="{space}" count="4" uniqueCount="4">{cells_of}</sst>'
    rewritten(path, "xl/sharedStrings.xml", lambda _: shared.encode())
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}" /></Types>'
    rewritten(path, "[Content_Types].xml", lambda data: data.replace(b"</Types>", part.encode()))

    def indexed(data: bytes) -> bytes:
        for index, text in enumerate(texts):
            data = data.replace(f't="inlineStr"><is><t>{text}</t></is>'.encode(), f't="s"><v>{index}</v>'.encode())
        assert b"inlineStr" not in data
        return data

    rewritten(path, "xl/worksheets/sheet1.xml", indexed)
    assert cells(read_table(path, Form())) == {"source": ["a.png"], "PatientID": ["00123"]}


def test_a_row_number_that_no_sheet_has_ends_in_one_error(tmp_path):
    path = workbook(tmp_path / "m.xlsx", {"a": [["source"], ["a.png"]]})
    rewritten(path, "xl/worksheets/sheet1.xml", lambda data: data.replace(b'r="2"', b'r="999999999999"'))
    with pytest.raises(ManifestError, match="1,048,576 rows"):
        read_table(path, Form())


def test_a_workbook_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(readers.workbook, "_MOST_BYTES", 2000)
    path = workbook(tmp_path / "m.xlsx", {"a": [["source"], ["a.png"]]})
    with pytest.raises(ManifestError, match="unpacks to more"):
        read_table(path, Form())


# JSON lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"source": "a"', "no JSON object"),
        ("[1]", "it holds a list"),
        ("7", "it holds one value"),
        ('{"source": "a", "source": "b"}', "'source' twice"),
        ('{"source": "a", "a.b": 1, "a": {"b": 2}}', "'a.b' twice"),
        ('{"source": ' + "[" * 100_000, "nested too deeply"),
        ('{"source": ["a"]}', "a list"),
        ('{"source": "a", "PatientID": 1234567890123456}', "more than 15 digits"),
        ('{"source": "a", "PatientID": Infinity}', "without bounds"),
    ],
)
def test_a_line_that_is_no_record_is_said(line, words, tmp_path):
    (tmp_path / "m.jsonl").write_text(f'{{"source": "x"}}\n\n{line}\n', encoding="utf-8")
    with pytest.raises(ManifestError, match="line 3") as caught:
        read_table(tmp_path / "m.jsonl", Form())
    assert words in str(caught.value)


def test_json_lines_may_lack_names_and_hold_tables(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"source": "x"}\n{"image": {"path": "p"}, "source": "y"}\n', encoding="utf-8")
    assert cells(read_table(tmp_path / "m.jsonl", Form(foreign=True))) == {
        "source": ["x", "y"],
        "image.path": ["", "p"],
    }


def test_a_list_of_objects_is_told_to_be_lines(tmp_path):
    (tmp_path / "m.json").write_text('[{"source": "x"}, {"source": "y"}]', encoding="utf-8")
    with pytest.raises(ManifestError, match=r"line 1: no JSON object: it holds a list\. Write one JSON object on each"):
        read_table(tmp_path / "m.json", Form())


def test_json_lines_are_in_the_encoding_that_is_told(tmp_path):
    (tmp_path / "m.jsonl").write_bytes('{"source": "x"}\n{"source": "M\u00fcller"}\n'.encode("cp1252"))
    assert cells(read_table(tmp_path / "m.jsonl", Form(encoding="cp1252"))) == {"source": ["x", "M\u00fcller"]}
    with pytest.raises(ManifestError, match=r"line 2: not utf-8 text\. Save the file as UTF-8, or name its encoding"):
        read_table(tmp_path / "m.jsonl", Form())


# Parquet


def test_tables_within_parquet_are_columns_and_bytes_are_left_out(tmp_path):
    table = pa.table(
        {"image": [{"bytes": b"x", "path": "a.png"}, {"bytes": b"y", "path": "b.png"}], "label": [0, None]}
    )
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=1)
    found = read_table(tmp_path / "m.parquet", Form(foreign=True))
    assert cells(found) == {"image.path": ["a.png", "b.png"], "label": ["0", ""]}


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-20], lambda data: data[:4] + bytes(len(data) - 8) + data[-4:], lambda data: data[:4]]
)
def test_damaged_parquet_is_one_error(damage, tmp_path):
    FRAME.drop(columns="mixed").to_parquet(tmp_path / "m.parquet")
    (tmp_path / "m.parquet").write_bytes(damage((tmp_path / "m.parquet").read_bytes()))
    with pytest.raises(ManifestError, match="damaged"):
        read_table(tmp_path / "m.parquet", Form())


def test_parquet_of_more_rows_or_bytes_than_are_read_is_refused(tmp_path, monkeypatch):
    FRAME.drop(columns="mixed").to_parquet(tmp_path / "m.parquet")
    monkeypatch.setattr(readers.columnar, "_MOST_BYTES", 10)
    with pytest.raises(ManifestError, match="GiB"):
        read_table(tmp_path / "m.parquet", Form(foreign=True))
    monkeypatch.setattr(readers.columnar, "_MOST_ROWS", 2)
    with pytest.raises(ManifestError, match="3 rows are more than 2"):
        read_table(tmp_path / "m.parquet", Form(foreign=True))


def written(table, path):
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with (pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream)(path, table.schema) as file:
            file.write_table(table)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_names_that_are_there_twice_are_said(suffix, tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["1"]), pa.array(["2"])], names=["source", "v", "v"])
    inner = pa.table({"source": ["a"], "v.b": ["1"], "v": [{"b": "2"}]})
    for one, name in ((table, "v"), (inner, "v.b")):
        with pytest.raises(ManifestError, match=f"column {name}: the name is in the header twice"):
            read_table(written(one, tmp_path / f"m{suffix}"), Form())


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".stream"])
def test_kinds_of_columns_that_are_rare_are_read(suffix, tmp_path):
    columns = {
        "source": pa.array(["a"], pa.string_view()),
        "PatientWeight": pa.array(np.array([0.1], dtype=np.float16)),
        "truth": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1], pa.int8())),
        "image": pa.array([b"x"], pa.binary_view()),
        "mask": pa.array([b"x"]).dictionary_encode(),
    }
    path = written(pa.table(columns), tmp_path / f"m{suffix}")
    assert cells(read_table(path, Form())) == {"source": ["a"], "PatientWeight": ["0.1"], "truth": ["True"]}


# Text

DIVIDED = [
    ("source;PatientID;PatientWeight\na.png;1;70,5\nb.png;2;71,5\n", ";"),
    ("source\tPatientID\na, b.png\t1\n", "\t"),
    ("source|PatientID\na.png|1\n", "|"),
    ('source,PatientID\n"a;b.png",1\n', ","),
    ('source;"Patient,ID"\na.png;"1,2"\n', ";"),
    ("source\na.png\n", ","),
    ("source,ImageComments\na.png,x|y\nb.png,z\n", ","),
    ("Image Index,Finding Labels\na.png,x|y\nb.png,z|w\n", ","),
    ("id;a,b\n1;2,3\n4;5\n", ";"),
    ("source;PatientID\n" + "".join(f"{n}.png;{n},{n}\n" for n in range(9000)), ";"),
    ('source;PatientID\na.png;"x\ny;z"\n', ";"),
    ("source,PatientID\r\na.png,1\r\n", ","),
]


@pytest.mark.parametrize(("text", "sign"), DIVIDED, ids=[repr(text[:20]) for text, _ in DIVIDED])
def test_what_divides_the_columns_is_recognised(text, sign, tmp_path):
    (tmp_path / "m.csv").write_bytes(text.encode())
    found = read_table(tmp_path / "m.csv", Form(foreign=True))
    assert next(iter(found.columns)) == next(iter(io.StringIO(text))).strip().partition(sign)[0]
    assert len(found.notes) == (sign != ",")


def test_what_divides_the_columns_is_said_or_asked(tmp_path):
    (tmp_path / "m.csv").write_text("a;b,c\n1;2,3\n", encoding="utf-8")
    with pytest.raises(
        ManifestError, match=r"may be divided by a comma or a semicolon\. Say which with delimiter='comma'"
    ):
        read_table(tmp_path / "m.csv", Form(foreign=True))
    assert list(read_table(tmp_path / "m.csv", Form(foreign=True, delimiter=";")).columns) == ["a", "b,c"]
    for name, sign in (("comma", ","), ("tab", "\t"), ("\\t", "\t"), ("|", "|")):
        text = f"source{sign}PatientID\na.png{sign}1\n"
        (tmp_path / "m.csv").write_text(text, encoding="utf-8")
        found = manifest.read(tmp_path / "m.csv", Settings.of(delimiter=name))
        assert (list(found.columns), found.notes) == (["source", "PatientID"], ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("told", ["utf-8", "cp1252"])
def test_a_byte_order_mark_says_the_encoding(encoding, told, tmp_path):
    (tmp_path / "m.csv").write_bytes("source,PatientName\na.png,M\u00fcller\n".encode(encoding))
    assert cells(read_table(tmp_path / "m.csv", Form(encoding=told)))["PatientName"] == ["M\u00fcller"]


TIDIED = {
    "sep=;\r\nsource;PatientID\r\na.png;1\r\n": 3,
    '"sep=\t"\nsource\tPatientID\na.png\t1\n': 3,
    "sep=,\nsource,PatientID\na.png,1\n": 3,
    "\n\r\nsource,PatientID\na.png,1\n": 4,
    "source,PatientID,,\na.png,1,,\n": 2,
    "source,PatientID\na.png,1\n,\n,\n": 2,
}


@pytest.mark.parametrize("text", TIDIED)
def test_what_spreadsheets_write_around_a_table_is_none_of_it(text, tmp_path):
    (tmp_path / "m.csv").write_bytes(text.encode())
    found = read_table(tmp_path / "m.csv", Form())
    assert (cells(found), found.lines.tolist()) == ({"source": ["a.png"], "PatientID": ["1"]}, [TIDIED[text]])


def test_columns_without_a_name_are_kept_if_they_hold_something(tmp_path):
    (tmp_path / "m.csv").write_text(",source\n0,a.png\n,b.png\n", encoding="utf-8")
    assert cells(read_table(tmp_path / "m.csv", Form())) == {"": ["0", ""], "source": ["a.png", "b.png"]}


def test_signs_that_divide_nothing_are_answered_with_names():
    with pytest.raises(SettingsError, match=r"delimiter='x' is not possible\. Possible: comma, semicolon, tab, bar\.$"):
        Settings.of(delimiter="x")


def test_utf_16_without_a_mark_is_said(tmp_path):
    (tmp_path / "m.csv").write_bytes("source,PatientID\na.png,1\n".encode("utf-16-le"))
    with pytest.raises(ManifestError, match=r"line 1: the line holds NUL .*encoding='utf-16-le'"):
        read_table(tmp_path / "m.csv", Form())
    assert cells(read_table(tmp_path / "m.csv", Form(encoding="utf-16-le")))["PatientID"] == ["1"]


# Names of columns


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Source,Patient ID,patient_name", ["source", "PatientID", "PatientName"]),
        ("filename,patientid,SOP Class", ["source", "PatientID", "sop_class"]),
        ("FILE,PATIENTID", ["source", "PatientID"]),
        ("path,Study", ["source", "study"]),
        ("image,Instance-Number", ["source", "InstanceNumber"]),
    ],
)
def test_other_spellings_are_understood_with_a_note(header, names, tmp_path):
    (tmp_path / "m.csv").write_text(f"{header}\n{','.join('x' * len(names))}\n", encoding="utf-8")
    found = read_table(tmp_path / "m.csv", Form())
    assert list(found.columns) == names
    (note,) = found.notes
    assert (note.severity, note.lines) == ("note", (1,))
    assert f"'{header.partition(',')[0]}' as source" in note.rule


def test_a_column_of_its_own_name_comes_first(tmp_path):
    (tmp_path / "m.csv").write_text("filename,source,PatientID,Patient ID\na,b,c,d\n", encoding="utf-8")
    found = read_table(tmp_path / "m.csv", Form())
    assert list(found.columns) == ["filename", "source", "PatientID", "Patient ID"]
    assert found.notes == ()


def test_two_spellings_of_one_column_are_asked_about_once(tmp_path):
    (tmp_path / "m.csv").write_text("filename,path,Foo\na,b,c\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="'filename' and 'path' may each be the column source") as caught:
        read_table(tmp_path / "m.csv", Form())
    assert len(caught.value.problems) == 1
    assert list(read_table(tmp_path / "m.csv", Form(ignored=("path",))).columns) == ["source", "path", "Foo"]


def test_a_source_in_a_wrong_spelling_is_one_question(tmp_path):
    (tmp_path / "m.csv").write_text("Sorce,Foo,PatientNam\na,b,c\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="Did you mean 'Sorce'") as caught:
        read_table(tmp_path / "m.csv", Form())
    assert len(caught.value.problems) == 1


# Standard input


def test_a_table_may_come_from_the_standard_input(monkeypatch):
    class Given:
        buffer = io.BytesIO(b"source;PatientID\na.png;1\n")

        def isatty(self) -> bool:
            return False

    monkeypatch.setattr("sys.stdin", Given())
    for _ in range(2):  # it is kept, since a command may read it twice
        assert cells(read_table(Path("-"), Form())) == {"source": ["a.png"], "PatientID": ["1"]}
    Given.isatty = lambda _: True
    monkeypatch.setattr("sys.stdin", Given())
    with pytest.raises(ManifestError, match="nothing comes from the standard input"):
        read_table(Path("-"), Form())
