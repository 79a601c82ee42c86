"""A real notebook: progress while a run is under way, and the report as it is shown."""

from __future__ import annotations

import nbclient
import nbformat
import numpy as np
from PIL import Image

import bulkdcm
from bulkdcm.report import notebook

CODE = """
import bulkdcm
report = bulkdcm.convert("m.csv", "out", n_jobs=1, backend="sequential", progress=True)
report
"""


def test_a_notebook_shows_progress_and_the_report(tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"<b>cut off</b>")
    header = "source,PatientID,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\n"
    rows = "a.png,1,20230101,101010,1,1,1\nb.png,1,20230101,101010,1,1,2\n"
    (tmp_path / "m.csv").write_text(header + rows, encoding="utf-8")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output.get("data", {}).get("text/html", "") for output in book.cells[0].outputs]
    assert any('<progress value="2" max="2"' in html for html in shown)
    assert "<b>1 of 2 rows converted</b>, 1 failed" in shown[-1]
    assert not any(output.get("name") == "stderr" for output in book.cells[0].outputs)


def test_what_a_notebook_shows_is_text():
    failure = {"rows": 1, "stage": "read", "lines": [2], "examples": ["line 2: <script>alert(1)</script>\x1b[31m"]}
    facts = {"converted": 0, "rows": 1, "failed": 1, "pending": 0, "elapsed_s": 1.0, "workers": 1, "images_per_s": 0.0}
    shown = notebook.html(facts | {"failures": [failure] * 12})
    assert "<script>" not in shown
    assert "\x1b" not in shown
    assert "for other reasons" in shown


def test_what_there_is_to_call():
    assert {"check", "convert", "init", "plan", "rebuild"} <= set(dir(bulkdcm))
    for name in dir(bulkdcm):
        assert getattr(bulkdcm, name) is not None
