"""The demo data set and the real X-rays: each output clean, the series consistent, the pixels the source's."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest

import bulkdcm
from tests.conformance import readers

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "manifests" / "demo" / "manifest.csv"
REAL = ROOT.parent / "shared" / "data" / "figure1" / "images"
TOOLS = ("dciodvfy", "dcentvfy", "dcmdump", "dcmj2pnm", "gdcminfo")


def found_in(report, out: Path) -> list[str]:
    """Return all that any reader finds in the outputs, and between those of one series."""
    found, series = [], defaultdict(list)
    for row in report.table[report.table["status"] == "converted"].itertuples():
        path = out / row.output
        series[row.study_instance_uid].append(path)
        for name, reader in readers.READERS.items():
            found += [f"{row.source}: {name}: {text}" for text in reader(path)]
    for uid, paths in series.items():
        found += [f"study {uid}: dcentvfy: {text}" for text in readers.dcentvfy(paths)]
    return found


def test_the_demo_is_clean_in_every_reader(tmp_path):
    readers.need(*TOOLS)
    report = bulkdcm.convert(DEMO, tmp_path)
    assert report.count("converted") == 20
    assert not found_in(report, tmp_path)


def test_real_x_rays_are_clean_and_have_their_source_s_pixels(tmp_path):
    if not REAL.is_dir():
        pytest.skip("the real images are not on this machine")
    readers.need(*TOOLS)
    names = sorted(path.name for path in REAL.iterdir())
    manifest = tmp_path / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "source",
                "PatientID",
                "PatientName",
                "StudyDate",
                "StudyTime",
                "StudyID",
                "SeriesNumber",
                "InstanceNumber",
                "Modality",
                "BodyPartExamined",
            ]
        )
        for number, name in enumerate(names, start=1):
            stem = Path(name).stem
            writer.writerow([name, stem, f"{stem}^", "20200401", "120000", number, 1, 1, "CR", "CHEST"])
    report = bulkdcm.convert(manifest, tmp_path / "out", images=REAL)
    assert report.count("converted") == len(report.table) == 55
    assert not found_in(report, tmp_path / "out")
    for row in report.table.itertuples():
        source, dataset = REAL / row.source, pydicom.dcmread(tmp_path / "out" / row.output)
        if "passed through" in (row.decisions if isinstance(row.decisions, str) else ""):
            assert scan_of(pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)) == scan_of(
                source.read_bytes()
            )
        elif source.suffix == ".png":
            np.testing.assert_array_equal(readers.native_pixels(tmp_path / "out" / row.output), png_pixels(source))


def scan_of(stream: bytes) -> bytes:
    """Return a JPEG from its last quantization table or frame header on to its end, which no metadata follows."""
    start = stream.index(b"\xff\xda") if stream.count(b"\xff\xda") == 1 else stream.rindex(b"\xff\xc0")
    return stream[start : stream.rindex(b"\xff\xd9") + 2]


def png_pixels(path: Path) -> np.ndarray:
    """Return a PNG's pixels by imagecodecs, gray where all channels are equal and without an opaque alpha."""
    pixels = imagecodecs.png_decode(path.read_bytes())
    if pixels.ndim == 3 and pixels.shape[2] in {2, 4}:
        assert (pixels[..., -1] == pixels[..., -1].max()).all()
        pixels = pixels[..., :-1]
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    return pixels
