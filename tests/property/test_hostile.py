"""Conditions, ranges and mappings as nobody means them: one error of the option, never a traceback, and nothing is run."""

from __future__ import annotations

import contextlib
import random

import pytest

from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest import read, selected
from bulkdcm.settings import Settings

TRIES = 2000


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source,Modality,N\na.png,CR,1\nb.png,DX,-2\n", encoding="utf-8")
    return read(path, Settings())


CONDITIONS = [
    *("not " * n + "N == 1" for n in (60, 1000, 20_000)),
    *("(" * n + "N == 1" + ")" * n for n in (60, 190, 40_000)),
    *("N == " + "-" * n + "1" for n in (2, 1000, 90_000)),
    "N == 1" + " or N == 1" * 100_000,
    "N == " + "[" * 3000,
    "N == " + "+".join(["1"] * 30_000),
    "N" + ".a" * 30_000,
    "N" + "[0]" * 30_000,
    "N < " + "N < " * 20_000 + "1",
    "lambda:" * 10_000 + "1",
    "N == " + "9" * 5000,
    "N == '\0'",
    "N == '\ud800' or",
    "N == b'1'", "N == 1j", "N == None", "N == True", "N == ...", "N == f'{N}'", "N is 1", "a := 1", "N == (yield)",
    "N == __import__('os').system('touch hacked')", "__import__('os').system('touch hacked')", "   ", "not\n" * 60 + "N == 1",
]  # fmt: skip


@pytest.mark.parametrize("where", CONDITIONS, ids=range(len(CONDITIONS)))
def test_a_hostile_condition_is_one_error_and_short(where, table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        selected(table, Settings(where=where))
    assert caught.value.message.startswith("--where ")
    assert len(str(caught.value)) < 1000
    assert not (tmp_path / "hacked").exists()


@pytest.mark.filterwarnings("error")
def test_a_condition_may_compare_with_a_negative_number_and_an_odd_text(table):
    assert selected(table, Settings(where="N > -3 and N < -1")).tolist() == [False, True]
    assert selected(table, Settings(where=r"Modality != '\d'")).tolist() == [True, True]
    assert selected(table, Settings(where="N == 1 " + "or N == 1 " * 5000)).tolist() == [True, False]


def test_a_condition_of_random_parts_ends_in_rows_or_one_error(table):
    parts = ["Modality", "N", "==", "<", "in", "not in", "and", "or", "not", "(", ")", "[", "]", "'CR'", "1", "-1", "1e999",
             "lambda", "x", ".", ",", "None", "\0", "\n", "\\", '"', "#", "~", "is", "if", "else", "for", "await", "**", ":=", "\ud800", "Ⅷ", " "]  # fmt: skip
    chosen = random.Random(10)
    for _ in range(TRIES):
        where = chosen.choice(["", " "]).join(chosen.choice(parts) for _ in range(chosen.randint(1, 9)))
        with contextlib.suppress(SettingsError):
            selected(table, Settings(where=where))


@pytest.mark.parametrize(
    "rows",
    ["9" * 5000 + ":", ":" + "9" * 30, "٣:٤", "²:", "1:\0", "5:2", "3:3", "1e3:", "+1:", "1_0:", "\ud800:", "0:0"],
)
def test_hostile_rows_are_one_error(rows, table):
    with pytest.raises(SettingsError) as caught:
        selected(table, Settings(rows=rows))
    assert caught.value.message.startswith("--rows ")
    assert len(str(caught.value)) < 1000


MAPPINGS = [
    "a = " + "[" * 100_000 + "]" * 100_000,
    "a = " + "{a = " * 5000,
    "a" + ".a" * 50_000 + " = 1",
    "a = " + "9" * 10_000,
    "columns = 5", 'columns = "source"', "columns = [1]", "[[columns]]\nsource = 'a'",
    "[columns]\nsource = 'a'\nsource = 'b'", "[columns]\n[columns]", "\0", "[columns]\nsource = 'a\0'",
    *(f"[columns]\nsource = {{ column = 'source', {part} }}" for part in (
        "take = 5", "take = []", f"take = '{'(' * 3000}'", "take = '(a{99999999999999})'", "values = 5", "values = ['a']",
        "values = { a = [] }", "as = []", "as = {}", "formats = [[]]", "formats = ['%Y%Y']", "formats = ['%Q']",
        "unit = {}", "else = []", "empty = true", "value = 'x'", f"else = 0x{'f' * 100_000}")),
    "[columns]\nsource = 'a'\nPatientID = 2020-01-01", "[columns]\nsource = 'a'\nPatientID = true", "[columns]\nsource = 'a'\nPatientID = []",
    "[columns]\nsource = 'a'\nPatientID = { count = 5 }", "[columns]\nsource = 'a'\nPatientID = { count = [[]] }",
    "[columns]\nsource = 'a'\nPatientID = { column = {} }", "[columns]\nsource = 'a'\nPatientID = { template = 1979-05-27 }",
    *(f"encoding = {name}\n[columns]\nsource = 'a'" for name in ("'nope'", "'hex'", "5", "[]", '"\\u0000"')),
    "keep = 5\n[columns]\nsource = 'a'", "[keep]\nN = {}\n[columns]\nsource = 'a'", "[keep]\nN = [[]]\n[columns]\nsource = 'a'",
]  # fmt: skip


@pytest.mark.parametrize("toml", MAPPINGS, ids=range(len(MAPPINGS)))
def test_a_hostile_mapping_is_one_error(toml, tmp_path):
    path, mapping = tmp_path / "m.csv", tmp_path / "m.toml"
    path.write_text("source,N\na.png,1\n", encoding="utf-8")
    mapping.write_text(toml, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read(path, Settings(mapping=mapping))
    assert caught.value.message.startswith("--mapping ")
    assert len(str(caught.value)) < 1500


def test_a_mapping_of_random_parts_ends_in_a_manifest_or_one_error(tmp_path):
    path, mapping = tmp_path / "m.csv", tmp_path / "m.toml"
    path.write_text('source,N\na.png,1\n"b\0.png",x\n', encoding="utf-8")
    values = ["1", '"x"', "[]", "{}", "[[1]]", "true", "1979-05-27", "inf", "nan", "-0", '"\\u0000{source}.*"', '"{N}"', '"{}"',
              '"../../{N}/*.*"', '"(a)"', '"%Y%Y"', '["%d.%m"]', '"age"', '"date"', '"N"', '"source"', '"hex"', "{ CR = 'M', DX = [] }"]  # fmt: skip
    keys = ["column", "template", "count", "value", "take", "values", "as", "formats", "unit", "empty", "else"]
    names = ["source", "PatientID", "Modality", "PatientSex", "N", '""', '"\\u0000"', "Rows", "StudyDate", "PatientAge"]
    chosen = random.Random(11)

    def rule() -> str:
        return (
            "{ "
            + ", ".join(f"{key} = {chosen.choice(values)}" for key in chosen.sample(keys, chosen.randint(1, 3)))
            + " }"
        )

    for _ in range(TRIES):
        lines = [
            f"{name} = {chosen.choice([rule(), chosen.choice(values)])}"
            for name in chosen.sample(names, chosen.randint(0, 3))
        ]
        mapping.write_text("\n".join(["[columns]", 'source = { column = "source" }', *lines]), encoding="utf-8")
        with contextlib.suppress(SettingsError, ManifestError):
            read(path, Settings(mapping=mapping))


@pytest.mark.parametrize("name", ["/dev/zero", "."])
def test_a_mapping_that_is_no_file_is_refused_at_once(name, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("source\na.png\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="mapping="):
        read(path, Settings.of(mapping=name))
