"""`--streams` through whole runs: the same bytes, nothing converted twice, and a refused row tried again."""

from __future__ import annotations

import numpy as np
import pytest

import bulkdcm
from tests.streams import noise, saved
from tests.streams_jpeg import SOS, joined, segments

COLUMNS = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber"


@pytest.fixture
def manifest(tmp_path):
    """Return the manifest of a good JPEG and of one whose scan ends early."""
    pixels = np.where(np.arange(64)[:, None] < 40, 99, noise(64, 80)).astype(np.uint8)
    good = saved(pixels, "JPEG", quality=95)
    (tmp_path / "good.jpg").write_bytes(good)
    half = joined([(m, p[: len(p) * 9 // 10] if m == SOS else p) for m, p in segments(good)])
    (tmp_path / "half.jpg").write_bytes(half)
    lines = [f"{name}.jpg,1,A^B,20230102,101112,1,1,{n}" for n, name in enumerate(("good", "half"), start=1)]
    (tmp_path / "m.csv").write_text("\n".join([COLUMNS, *lines]) + "\n", encoding="utf-8")
    return tmp_path / "m.csv"


def _run(manifest, out, streams):
    frame = bulkdcm.convert(manifest, out, backend="sequential", streams=streams).table.set_index("source")
    return frame["status"].to_dict(), frame["reason"].to_dict(), frame


def test_a_refused_stream_is_tried_again_where_streams_are_trusted_and_a_good_one_is_not(manifest, tmp_path):
    status, _, frame = _run(manifest, tmp_path / "out", "decode")
    assert status == {"good.jpg": "converted", "half.jpg": "failed"}
    assert "a scan is damaged, or ends early" in frame.loc["half.jpg", "message"]
    before = (tmp_path / "out/good.dcm").stat()
    status, _, _ = _run(manifest, tmp_path / "out", "trust")
    assert status == {"good.jpg": "converted", "half.jpg": "converted"}
    assert (tmp_path / "out/good.dcm").stat().st_mtime_ns == before.st_mtime_ns
    _run(manifest, tmp_path / "trusted", "trust")
    assert (tmp_path / "trusted/good.dcm").read_bytes() == (tmp_path / "out/good.dcm").read_bytes()


def test_a_row_refused_for_its_size_is_tried_again_with_another_limit(manifest, tmp_path):
    frame = bulkdcm.convert(manifest, tmp_path / "out", backend="sequential", max_pixels=100).table
    assert set(frame["status"]) == {"failed"}
    frame = bulkdcm.convert(manifest, tmp_path / "out", backend="sequential").table
    assert set(frame["status"]) == {"converted"}
