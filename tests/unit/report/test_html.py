"""The page without a browser: the same bytes for the same ledger, nobody's name in it, and the counts as they are."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bulkdcm.report import recorded
from bulkdcm.report.html import Page, charts, words
from bulkdcm.report.html import table as table_module
from bulkdcm.report.html.facts import Duplicates
from bulkdcm.report.html.sheet import MOST, Sheet
from bulkdcm.report.look import Look, Picture
from tests import ledgers

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "Doe^Jane"


def page_of(out: Path, **look: object) -> str:
    with recorded(out) as (report, _):
        page = Page(replace(report, look=Look(**look)))
        for block in report.rows:
            page.take(block)
        with (out / "page").open("wb") as file:
            page.write(file)
    return (out / "page").read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def texts(page: str, name: str) -> list[str | None]:
    data = data_of(page)
    column = data["columns"][name]
    codes = column["codes"] if isinstance(column["codes"], list) else [column["codes"]] * data["rows"]
    return [None if code < 0 else column["texts"][code] for code in codes]


def test_one_ledger_gives_the_same_bytes_in_every_process(tmp_path):
    out = ledgers.folder_of(tmp_path, ledgers.sources_of(1200))
    code = f"import sys; sys.path.insert(0, '.'); from pathlib import Path; from tests.unit.report.test_html import page_of; page_of(Path({str(out)!r}))"
    pages = set()
    for seed in ("1", "2"):
        subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}"})
        pages.add((out / "page").read_bytes())
    assert len(pages) == 1


def secret_rows() -> tuple[list[str], list[dict[str, object]]]:
    sources = [f"{SECRET}/{n}/{SECRET}.png" for n in range(8)]
    outcomes = [ledgers.outcome(n, source) for n, source in enumerate(sources)]
    for n, told in enumerate(
        [f"{sources[3]}: PatientName {SECRET!r} is odd. Mend it", f"{sources[1]} is {SECRET}.png too"]
    ):
        outcomes[n + 2] |= {"status": "failed", "stage": "build", "error": "X", "message": told}
    return sources, outcomes


def test_names_paths_and_uids_are_left_out_unless_asked_for(tmp_path):
    sources, outcomes = secret_rows()
    told = [f"line 3, column PatientName: '{SECRET}': odd. Look at {SECRET}/1.png"]
    out = ledgers.folder_of(tmp_path, sources, outcomes, warnings=told, notes=told)
    page = page_of(out)
    assert "Doe" not in page
    assert "2.25." not in page
    assert "PatientName … is odd" in page
    page = page_of(out, identifiers=True, patient_of=lambda output: ("ID1", SECRET) if "/0/" in output else ("", ""))
    for shown in (sources[7], told[0], outcomes[0]["sop_instance_uid"], "ID1 · Doe^Jane"):
        assert shown.replace("'", "\\u0027") in page or shown.replace("'", "&#39;") in page


def test_the_columns_hold_what_the_ledger_does(tmp_path):
    sources = ledgers.sources_of(600)
    out = ledgers.folder_of(tmp_path, sources)
    page = page_of(out, identifiers=True)
    assert texts(page, "source") == sources
    assert texts(page, "status") == ["failed" if n % 97 == 96 else "converted" for n in range(600)]
    assert set(texts(page, "output")) == {None}  # they follow from the sources
    numbers = data_of(page)["columns"]["study"]["numbers"]
    converted = [n for n in range(600) if n % 97 != 96]
    assert [numbers[n] for n in converted] == [n // 6 + 1 for n in converted]
    assert numbers[96] is None


def test_more_rows_than_there_is_room_for_leave_out_converted_ones_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(table_module, "MOST", 1000)
    page = page_of(ledgers.folder_of(tmp_path, ledgers.sources_of(3000)))
    failed = [n for n in range(3000) if n % 97 == 96]
    statuses = texts(page, "status")
    assert statuses.count("failed") == len(failed)
    assert statuses.count("converted") == 1000 - sum(n < 1000 for n in failed)
    assert re.search(r"<b>1,0\d\d of 3,000 rows are in this file</b>", page)


def test_style_and_script_are_allowed_by_their_digests_and_nothing_else_is(tmp_path):
    page = page_of(ledgers.folder_of(tmp_path, ledgers.sources_of(3)))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not re.search(r"\s(style|on\w+)=|https?://", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL))


def test_contents_that_come_again_are_counted_with_their_lines(tmp_path):
    sources = ledgers.sources_of(10)
    outcomes = [ledgers.outcome(n, source) | {"source_sha256": "abcab"[n % 5] * 64} for n, source in enumerate(sources)]
    with recorded(ledgers.folder_of(tmp_path, sources, outcomes[:5])) as (report, _):
        page = Page(report)
        for block in report.rows:
            page.take(block)
    assert page._facts.duplicates() == Duplicates(2, 4, [[2, 5], [3, 6]])


def test_the_sheet_has_each_cause_first_and_then_even_distances(tmp_path):
    with recorded(ledgers.folder_of(tmp_path, ledgers.sources_of(2000))) as (report, _):
        sheet = Sheet(len(report.rows))
        first = 0
        for block in report.rows:
            sheet.take(block, first)
            first += block.count
    chosen = sheet.chosen()
    failed = [row for row in chosen if row["status"] == "failed"]
    assert chosen[: len(failed)] == failed
    assert len(chosen) == MOST
    assert {row["message"].partition(": ")[2].split()[1] for row in failed} == {"PNG", "such", "of"}
    steps = [
        b["ordinal"] - a["ordinal"] for a, b in zip(chosen[len(failed) :], chosen[len(failed) + 1 :], strict=False)
    ]
    assert min(steps) > 2000 / MOST / 2
    cells = sheet.cells(lambda wanted: [Picture(b"x", 1, 2, "w")] * len(wanted), lambda row: row["message"])
    assert cells[0].uri == "data:image/jpeg;base64,eA=="


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        (
            "the PNG is cut off at byte …. Fetch the file again.",
            "the PNG is cut off at byte ….",
            "Fetch the file again.",
        ),
        ("it names another (PS3.5 9). Give it one. Or two.", "it names another (PS3.5 9).", "Give it one. Or two."),
        ("PS3.3 C.7.6 says so", "PS3.3 C.7.6 says so", ""),
        ("", "", ""),
    ],
)
def test_a_message_is_what_is_wrong_and_what_to_do(text, what, remedy):
    assert words.parted(text) == (what, remedy)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a/b.png: no pixels at 12", "no pixels at …"),
        ("a/b.png: as 'x y' in c:\\d.png, and other.JPG", "as … in … and …"),
        ("a/b.png: 1, 2, 3 are many", "… are many"),
    ],
)
def test_what_is_of_one_row_is_left_out_of_reasons(message, shown):
    assert words.reason(message, ("a/b.png", None), identifiers=False) == shown
    assert words.reason(message, ("a/b.png", None), identifiers=True) == message


@pytest.mark.parametrize(
    ("source", "end"), [("a.PNG", "png"), ("a", ""), (".png", ""), ("x.Doe Jane", ""), ("x.longer", "")]
)
def test_of_a_source_only_the_kind_of_file_is_told(source, end):
    assert words.ending(source) == end


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 0, "0 %"), (1, 1, "100 %"), (99_999, 100_000, "> 99.9 %"), (1, 100_000, "< 0.1 %"), (1, 3, "33.3 %")],
)
def test_a_share_is_all_or_nothing_only_if_it_is(part, whole, told):
    assert words.share(part, whole) == told


def test_a_ranking_tells_the_rest_together_but_not_of_one():
    assert [line.name for line in charts.ranking({str(n): 9 - n for n in range(9)})] == list("012345678")
    assert charts.ranking({str(n): 1 for n in range(12)})[-1].name == "4 others"


def test_a_pace_is_drawn_of_what_was_recorded():
    assert charts.pace([(1.0, 5, 0)], 2.0) is None
    curve = charts.pace([(n + 0.5, 10, 0) for n in range(20)], 20.0)
    assert (curve.mean, curve.ticks[0], curve.ticks[-1]) == ("10.0", "0", "20.0 s")
