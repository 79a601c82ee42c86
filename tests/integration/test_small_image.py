"""A small image, such as a container's, lacks programs and packages that every developer has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MANIFEST = str(Path(__file__).parents[2] / "manifests" / "demo" / "manifest.csv")
COMMAND = "import sys; sys.modules['psutil'] = None; from bulkdcm.__main__ import main; main()"


@pytest.mark.parametrize(("out", "code"), [("dicom", 1), ("a-file", 5)], ids=["a run", "a run that is refused"])
def test_workers_end_quietly_without_pgrep_and_psutil(tmp_path, out, code):
    (tmp_path / "programs").mkdir()
    (tmp_path / "a-file").touch()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "convert", MANIFEST, "--out", out, "--n-jobs", "2"],
        cwd=tmp_path, env={**os.environ, "PATH": str(tmp_path / "programs")},
        capture_output=True, text=True, check=False, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "psutil" not in done.stderr
