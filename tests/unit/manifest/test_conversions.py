"""What a column's cells become together: only what is certain, else the readings and how to choose."""

from __future__ import annotations

import pytest

import bulkdcm
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.conversions import converted
from bulkdcm.manifest.dates import read_dates
from bulkdcm.manifest.patterns import Pattern
from bulkdcm.manifest.readings import Doubt
from bulkdcm.manifest.rule import Rule


def made(cells: list[str], kind: str, **keys: object) -> list[str]:
    """Return what cells become; of a doubt, its kind with a question mark."""
    found = converted(cells, Rule(column="c", convert=kind, **keys))
    return [f"?{result.kind}" if isinstance(result, Doubt) else result for result in found]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        # zeros in front, taken away by a spreadsheet
        (["5556", "10123", "213014.53100000002"], ["005556", "010123", "213014.531000"]),
        (["5556"], ["005556"]),
        (["0"], ["000000"]),
        (["5", "130500"], ["000005", "130500"]),
        (["5556.0", "130500.0"], ["005556", "130500"]),
        # hours and minutes, or minutes and seconds
        (["1015"], ["?digits"]),
        (["930", "1015"], ["?digits", "?digits"]),
        (["1015", "5556"], ["001015", "005556"]),
        (["0915", "1015"], ["091500", "101500"]),
        (["093000", "1015"], ["093000", "101500"]),
        (["093000", "930"], ["093000", "?digits"]),
        (["10.15"], ["?point"]),
        (["0.427083"], ["?point"]),
        # clocks
        (["10:15", "9:05:07", "9:05 PM", "12:00 am", "12:30 p.m."], ["101500", "090507", "210500", "000000", "123000"]),
        (["10:15:30.1234567", "10:15:30,5", "10:15:30.000"], ["101530.123456", "101530.5", "101530"]),
        (["2023-07-26 10:15:30", "2023-07-26T10:15", "26/07/2023 10:15"], ["101530", "101500", "101500"]),
        (["24:00", "25:10", "13:00 pm", "10:60", "soon", "246060", "Room 10 9:15"], ["?time"] * 7),
    ],
    ids=str,
)
def test_times(cells, texts):
    assert made(cells, "time") == texts


@pytest.mark.parametrize(
    ("cell", "form", "text"),
    [
        ("1015", "%H%M%S", "001015"),
        ("915", "%H%M", "091500"),
        ("10.15", "%H.%M", "101500"),
        ("10.15", "%S.%f", "000010.15"),
        ("0.427083333", "excel", "101500"),
        ("213014.53100000002", "%H%M%S.%f", "213014.531000"),
        ("09:05 PM", "%I:%M %p", "210500"),
        ("1234567", "%H%M%S", "?time"),
    ],
)
def test_a_format_decides_times(cell, form, text):
    assert made([cell], "time", formats=(form,)) == [text]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["3/14/2020", "6/1/2021"], ["20200314", "20210601"]),
        (["14.3.2020", "6.1.2021"], ["20200314", "20210106"]),
        (["3/4/2020", "6/1/2021"], ["?order", "?order"]),
        (["5/5/2020", "6/1/2021"], ["20200505", "?order"]),
        (["3/14/2020", "14/3/2020", "1/2/2020"], ["20200314", "20200314", "?order"]),
        (["3/14/2020", "soon"], ["20200314", "?date"]),
        (["3/14/2020 10:15", "6/1/2021 9:05 PM"], ["20200314", "20210601"]),
        (["2023-07-26", "2023/7/6", "20230726", "20230726.0"], ["20230726", "20230706", "20230726", "20230726"]),
        (["2023-07-26T10:15:30", "2023-07-26 10:15"], ["20230726", "20230726"]),
        (["2020-26-07", "2020-05-06"], ["20200726", "20200605"]),
        (["26072023", "6072023"], ["20230726", "20230706"]),
        (["March 14, 2020", "14 Mar 2020", "14-MAR-2020", "Sept 1st, 2020"], ["20200314"] * 3 + ["20200901"]),
        (["14-MAR-20", "03/14/45"], ["?century", "?century"]),
        (["200314"], ["?order"]),
        (["45000"], ["?serial"]),
        (["2020"], ["?year"]),
        (["2020-02-30", "0000-00-00", "9999-99-99", "today", "2023-07"], ["?date"] * 5),
        (["2023-07-26\u00a0", "\ufeff2023-07-27"], ["20230726", "20230727"]),
    ],
    ids=str,
)
def test_dates(cells, texts):
    assert made(cells, "date") == texts


@pytest.mark.parametrize(
    ("cell", "keys", "text"),
    [
        ("3/4/2020", {"formats": ("%m/%d/%Y",)}, "20200304"),
        ("3/4/2020", {"formats": ("%d/%m/%Y",)}, "20200403"),
        ("3/4/2020", {"formats": ("%d/%m/%Y", "%m/%d/%Y")}, "?order"),
        ("3/14/2020", {"formats": ("%d/%m/%Y", "%m/%d/%Y")}, "20200314"),
        ("45000", {"formats": ("excel",)}, "20230315"),
        ("45000.75", {"formats": ("excel",)}, "20230315"),
        ("2020111", {"formats": ("%Y%m%d",)}, "?date"),  # strptime reads 1 November
        ("3142020", {"formats": ("%m%d%Y",)}, "20200314"),
        ("03/14/45", {"formats": ("%m/%d/%y",)}, "?century"),
        ("03/14/45", {"first_year": 1930, "formats": ("%m/%d/%y",)}, "19450314"),
        ("03/14/29", {"first_year": 1930}, "20290314"),
        ("03/14/30", {"first_year": 1930}, "19300314"),
        ("200314", {"first_year": 1930, "formats": ("%y%m%d",)}, "20200314"),
    ],
)
def test_keys_decide_dates(cell, keys, text):
    assert made([cell], "date", **keys) == [text]


@pytest.mark.parametrize("formats", [(), ("%m/%d/%y",)])
def test_a_birth_is_never_after_its_study_and_no_guess(formats):
    cells = ["03/14/45", "03/14/15", "12/31/20", "01/13/20"]
    found = read_dates(cells, Rule(formats=formats), [20200601] * 4)
    assert [text if isinstance(text, str) else text.kind for text in found] == ["19450314", "century", "19201231", "century"]  # fmt: skip
    assert "1915-03-14 or 2015-03-14" in found[1].rule
    (late,) = read_dates(["03/14/45"], Rule(formats=formats, first_year=2000), [20200601])
    assert "before the study" in late.rule


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["33", "50+", "45.0", "058Y", "6 months", "45yo", "6-month-old", "45 y/o", "3 wks", "10 d", "0"],
         ["033Y", "050Y", "045Y", "058Y", "006M", "045Y", "006M", "045Y", "003W", "010D", "000Y"]),
        (["36 hours", "48 hours", "24h"], ["?inexact", "002D", "001D"]),
        (["45 m", "6M", "18 m."], ["?unit m"] * 3),
        (["006M", "045m"], ["006M", "045M"]),
        (["6m", "3y"], ["006M", "003Y"]),
        (["45m", "33f"], ["?unit m", "?unit f"]),
        (["45 ans", "5 min", "7 x"], ["?unit ans", "?unit min", "?unit x"]),
        (["1.5 years", "45.37", "0,5", "1,500"], ["018M", "?inexact", "006M", "?thousands"]),
        (["1 year 3 months", "1y 3m", "2 weeks and 3 days", "1 day 12 hours"], ["015M", "015M", "017D", "?inexact"]),
        (["1001 days", "1000 days"], ["143W", "?inexact"]),
        (["414", "131 years", "130"], ["?too old", "?too old", "130Y"]),
        (["-1", ">89", "40-45", "early 40s", "NA", "adult"], ["?age"] * 6),
        (["33\u00a0years"], ["033Y"]),
    ],
    ids=str,
)  # fmt: skip
def test_ages(cells, texts):
    assert made(cells, "age") == texts


def test_keys_decide_ages():
    assert made(["45 ans", "3 mois"], "age", units={"ans": "Y", "mois": "M"}) == ["045Y", "003M"]
    assert made(["45 m"], "age", units={"m": "M"}) == ["045M"]
    assert made(["45.37", "36 hours", "1000 days"], "age", round="down") == ["045Y", "001D", "142W"]
    assert made(["36"], "age", unit="H") == ["?inexact"]
    assert made(["414"], "age", unit="D") == ["414D"]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["0,143", "1,5", "-2,25"], ["0.143", "1.5", "-2.25"]),
        (["1,234"], ["?decimal"]),
        (["1,234", "0,5"], ["1.234", "0.5"]),
        (["1,234", "1,234,567"], ["1234", "1234567"]),
        (["1,234.5", "1,234"], ["1234.5", "1234"]),
        (["1.234,5", "1.234"], ["1234.5", "1234"]),
        (["1 234,5", "1'234,5"], ["1234.5", "1234.5"]),
        (["1.234", "45.0", "1001.0", "00123", "1e-3"], ["1.234", "45", "1001", "00123", "1e-3"]),
        (["abc", "1,2,3", "", "1.5 mm"], ["?number", "?number", "", "?number"]),
    ],
    ids=str,
)
def test_numbers(cells, texts):
    assert made(cells, "number") == texts


@pytest.mark.parametrize(("kind", "text"), [("number", "3"), ("age", "003Y"), ("time", "?digits")])
def test_digits_of_other_scripts_are_the_same_numbers(kind, text):
    assert made(["\u0663"], kind) == [text]
    assert made(["\uff13"], kind) == [text]


def test_a_decimal_sign_decides_numbers():
    assert made(["1,234"], "number", decimal=",") == ["1.234"]
    assert made(["1,234"], "number", decimal=".") == ["1234"]


def test_the_check_advises_no_unit_that_is_a_guess(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "m.csv").write_text("source,PatientAge,instance\na.png,45m,1\na.png,45,2\n", encoding="utf-8")
    (problem,) = [problem for problem in bulkdcm.check(tmp_path / "m.csv") if "three digits" in problem.rule]
    months, years = problem.parts
    assert months.remedy == "Write it as 045M if these are months"
    assert years.remedy == "Write it as 045Y if these are years"


def test_else_is_for_cells_without_a_reading_not_for_those_with_several():
    assert made(["3/4/2020", "soon"], "date", otherwise="") == ["?order", ""]
    assert made(["45 m", "adult"], "age", otherwise="") == ["?unit m", ""]
    assert made(["1015", "noon"], "time", otherwise="") == ["?digits", ""]


@pytest.fixture
def problems(tmp_path):
    """Return a function: columns of a mapping and lines of a CSV to the problems of `check`."""

    def check(columns: str, *lines: str) -> list[str]:
        (tmp_path / "a.png").write_bytes(b"x")
        (tmp_path / "m.toml").write_text(f'[columns]\nsource = "a.png"\n{columns}\n', encoding="utf-8")
        (tmp_path / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            return [str(problem) for problem in bulkdcm.check(tmp_path / "d.csv", mapping=tmp_path / "m.toml")]
        except ManifestError as error:
            return [str(problem) for problem in error.problems]

    return check


def test_one_kind_of_doubt_is_one_message_with_its_lines_readings_and_remedy(problems):
    (found,) = problems(
        'StudyDate = { column = "d", as = "date" }', "d,n", "3/4/2020,1", "5/5/2020,2", "6/1/2021,3", "3/4/2020,4"
    )
    assert (
        "lines 2, 4, 5, column d: '3/4/2020': mapping key columns.StudyDate: may be 2020-03-04 or 2020-04-03" in found
    )
    assert "1 other value is alike" in found
    assert 'formats = ["%d/%m/%Y"] or formats = ["%m/%d/%Y"] in columns.StudyDate' in found


def test_cells_of_rows_that_are_left_out_decide_nothing(problems):
    columns = 'StudyDate = { column = "d", as = "date" }\n[keep]\nkeep = ["y"]'
    (found,) = problems(columns, "d,keep", "3/4/2020,y", "3/14/2020,n")
    assert "line 2, column d" in found
    assert "may be 2020-03-04 or 2020-04-03" in found


def test_what_a_template_makes_is_converted_and_its_doubts_are_said(problems):
    (found,) = problems('PatientAge = { template = "{n} {u}", as = "age" }', "n,u", "3,m", "4,m")
    assert "'3 m'" in found
    assert "1 other value is alike" in found


@pytest.mark.parametrize("order", [0, 1])
def test_a_birth_is_read_with_the_study_of_its_rows(order, problems, tmp_path):
    rules = ['StudyDate = { column = "s", as = "date" }', 'PatientBirthDate = { column = "b", as = "date" }']
    columns = "\n".join([*rules[:: 1 - 2 * order], 'PatientID = { column = "p" }'])
    assert not [text for text in problems(columns, "b,s,p", "03/14/45,2020-01-02,1") if "BirthDate" in text]
    _, (row,) = bulkdcm.conversion.api.checked(tmp_path / "d.csv", 1, mapping=tmp_path / "m.toml")
    assert row.attributes["PatientBirthDate"] == "19450314"
    (found,) = problems(columns, "b,s,p", "03/14/15,2020-01-02,1")
    assert "1915-03-14 or 2015-03-14" in found


def test_an_open_question_is_repeated_until_it_is_answered(problems):
    columns = (
        'StudyDate = { column = "d", as = "date", question = "which order?" }\nPatientSex = { question = "whose?" }'
    )
    found = problems(columns, "d", "3/4/2020")
    assert len(found) == 2
    assert "columns.StudyDate: an open question: which order?" in found[0]
    assert "take `question` out of m.toml" in found[0]
    assert not [
        text for text in problems('StudyDate = { column = "d", as = "date" }', "d", "3/14/2020") if "error" in text
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('formats = "%d.%m.%Y"', ""),
        ("formats = 3", "formats 3"),
        ('formats = ["%d.%m.%Q"]', "strptime"),
        ('formats = ["%d %d"]', "strptime"),
        ('formats = ["%-d.%-m.%Y"]', "strptime"),
        ('first_year = "x"', "1800 to 2200"),
        ("first_year = 3", "1800 to 2200"),
        ('unit = "months"', "Y, M, W, D"),
        ('units = { mois = "months" }', "units"),
        ('round = "up"', "down"),
        ('decimal = ";"', "decimal"),
        ('as = ["date"]', "a list"),
    ],
)
def test_a_key_that_cant_be_used_is_said(keys, words, problems):
    kind = "" if keys.startswith("as") else 'as = "date", '
    if not words:
        assert not [
            text
            for text in problems(f'StudyDate = {{ column = "d", {kind}{keys} }}', "d", "1.2.2020")
            if "d.csv" in text
        ]
        return
    with pytest.raises(SettingsError, match="mapping=") as caught:
        problems(f'StudyDate = {{ column = "d", {kind}{keys} }}', "d", "x")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["2023-07-26 10:15:30", "26 July 2023, 9:05"], ["20230726101530", "20230726090500"]),
        (["2023-07-26T10:15:30.25Z"], ["20230726101530.25+0000"]),
        (["2023-07-26T10:15:30+02:00", "2023-07-26 10:15 -0730"], ["20230726101530+0200", "20230726101500-0730"]),
        (["20230726101530", "20230726101530.5"], ["20230726101530", "20230726101530.5"]),
        (["2023-07-26"], ["20230726"]),
        (["3/4/2020 10:15"], ["?order"]),
        (["3/4/2020 10:15", "3/14/2020 10:15"], ["20200304101500", "20200314101500"]),
        (["2023-02-30 10:15", "2023-02-03 25:15", "yesterday"], ["?datetime", "?datetime", "?datetime"]),
    ],
)
def test_dates_with_their_times(cells, texts):
    assert made(cells, "datetime") == texts


def test_what_typed_tables_hold_of_dates_with_times_is_read():
    cells = ["20230726101500", "20230727", "20230728101530.500000"]
    assert made(cells, "date") == ["20230726", "20230727", "20230728"]
    assert made([cells[0], cells[2]], "time") == ["101500", "101530.500000"]
    assert made(["20230726101500", "20231332101500"], "date") == ["20230726", "?date"]
    zoned = ["20230726121500+0200", "20230726121500.500000-0500"]
    assert made(zoned, "datetime") == zoned
    assert made(zoned, "date") == ["?date", "?date"]


def test_dates_with_their_times_by_formats():
    assert made(["26.07.2023 10.15"], "datetime", formats=("%d.%m.%Y %H.%M",)) == ["20230726101500"]
    assert made(["3/4/20 1:02"], "datetime", formats=("%d/%m/%y %H:%M", "%m/%d/%y %H:%M")) == ["?order"]
    assert made(["x"], "datetime", formats=("%d.%m.%Y %H.%M",)) == ["?datetime"]
    assert made(["2023-07-26 10:15 +0200"], "datetime", formats=("%Y-%m-%d %H:%M %z",)) == ["20230726101500+0200"]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["M", "F", "O", "Unknown"], ["M", "F", "O", ""]),
        (["male", "FEMALE"], ["M", "F"]),
        (["m\u00e4nnlich", "weiblich", "divers"], ["M", "F", "O"]),
        (["m", "w"], ["M", "F"]),
        (["hombre", "mujer"], ["M", "F"]),
        (["H", "M"], ["M", "?m"]),
        (["H", "F", "M"], ["M", "F", "M"]),
        (["\u7537", "\u5973"], ["M", "F"]),
        (["1", "2"], ["?sex", "?sex"]),
        (["m", "w", "d"], ["M", "F", "O"]),
        (["D", "H"], ["?d", "M"]),
        (["D", "M"], ["?d", "M"]),
        (["homem", "M"], ["M", "?m"]),
    ],
)
def test_words_for_sexes(cells, texts):
    assert made(cells, "sex") == texts


def test_words_of_a_table_come_before_those_that_are_known():
    assert made(["1", "2"], "sex", values={"1": "M", "2": "F"}) == ["M", "F"]


def test_decimal_commas():
    assert made(["0,143", "1.234,5", "45"], "decimal") == ["0.143", "1234.5", "45"]
    assert made(["0.143"], "decimal") == ["?number"]


def test_codes_are_those_of_their_table():
    codes = {"hand": "85562004^SCT^Hand", "arm": "14975008^SCT^Forearm"}
    assert made(["hand", "foot"], "code", codes=codes) == ["85562004^SCT^Hand", "?code"]
    assert made(["hand|arm", "hand", "", "arm|foot"], "code", codes=codes, split="|") == [
        "85562004^SCT^Hand\\14975008^SCT^Forearm",
        "85562004^SCT^Hand",
        "",
        "?code",
    ]


@pytest.mark.parametrize(
    ("cell", "keys", "text"),
    [
        ("a_b_c", {"split": "_", "part": 1}, "a"),
        ("a_b_c", {"split": "_", "part": -1}, "c"),
        ("a_b_c", {"split": "_", "part": 4}, "?part"),
        ("a_b_c", {"split": "_", "part": -4}, "?part"),
        ("a_b_c", {"split": "_", "part": 4, "otherwise": "x"}, "x"),
        ("a | b|c", {"split": "|"}, "a\\b\\c"),
        ("a||b", {"split": "|"}, "a\\b"),
        ("a|x|b", {"split": "|", "values": {"a": "A", "b": "B"}, "otherwise": ""}, "A\\B"),
        ("a|x", {"split": "|", "values": {"a": "A"}}, "?"),
        ("", {"split": "|", "empty": "e"}, "e"),
        ("p1_a,b", {"take": Pattern("_(.*)"), "split": ","}, "a\\b"),
    ],
)
def test_parts_of_cells(cell, keys, text):
    assert made([cell], "", **keys) == [text]


def test_a_cell_that_is_too_long_for_a_pattern_is_a_doubt():
    assert made(["a" * 100_000], "", take=Pattern(r"(.*).*=")) == ["?long"]
