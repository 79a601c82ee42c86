"""What attributes need, exclude and call up: the preflight refuses it with the section, or the file is right."""

from __future__ import annotations

import csv

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.validation import verify
from tests.conformance import cases

PAIR = {"WindowCenter": "1", "WindowWidth": "2"}
REFUSED = [
    ("SC", {"WindowCenter": "1"}, "WindowCenter", "WindowWidth"),
    ("SC", {"WindowWidth": "1"}, "WindowWidth", "WindowCenter"),
    ("SC", {"WindowCenter": "1\\2", "WindowWidth": "1"}, "WindowCenter", "different numbers"),
    ("SC", {"RescaleIntercept": "0"}, "RescaleIntercept", "RescaleSlope"),
    ("SC", {"RescaleSlope": "1"}, "RescaleSlope", "RescaleIntercept"),
    ("SC", {"PixelAspectRatio": "1\\2", "PixelSpacing": "1\\1"}, "PixelAspectRatio", "PixelSpacing"),
    ("SC", {"PixelSpacing": "1\\1", "PixelSpacingCalibrationType": "GEOMETRY"}, "CalibrationType", "CalibrationDescription"),
    ("DX", {"RescaleSlope": "2"}, "RescaleSlope", "1"),
    ("OP8", {"LossyImageCompression": "01", "LossyImageCompressionRatio": "10"}, "LossyImageCompression", "Method"),
    ("SC-BYTE", {"ConversionType": "DF"}, "ConversionType", "NominalScannedPixelSpacing"),
    ("SC-BYTE", {"ConversionType": "WSD", "NominalScannedPixelSpacing": "1\\1"}, "NominalScannedPixelSpacing", "ConversionType DF, SD or SI"),
    *((alias, {"ImageLaterality": "U"}, "ImageLaterality", "R, L, B") for alias in ("IO", "MG", "OP8")),
    ("OP8", {"ImageType": "DERIVED\\SECONDARY\\X"}, "ImageType", "C.8.17"),
    ("CT", {"ImageOrientationPatient": "1\\0\\0\\1\\0\\0"}, "ImageOrientationPatient", "right angles"),
    ("CT", {"ImageOrientationPatient": "2\\0\\0\\0\\2\\0"}, "ImageOrientationPatient", "length 1"),
    ("DX", {"PixelIntensityRelationship": "DISP"}, "PixelIntensityRelationship", "LIN"),
]  # fmt: skip
ACCEPTED = [
    ("SC", PAIR, {}),
    ("SC", {"InstitutionName": "X"}, {"Manufacturer": ""}),
    ("SC", {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"}, {}),
    ("DX", {"PixelIntensityRelationship": "LOG", "PixelIntensityRelationshipSign": "-1"}, {}),
]


def manifest_of(folder, alias, more):
    row = {
        **cases.COMMON,
        **cases.COMPLETE[alias],
        "InstanceNumber": "1",
        **more,
        "source": "a.png",
        "sop_class": alias,
    }
    kind = "rgb8" if alias in {"XC", "ES", "GM", "SM", "DERM", "SC-COLOR"} else "gray8"
    Image.fromarray(
        np.arange(768, dtype=np.uint8).reshape(16, 16, 3)[..., : 3 if kind == "rgb8" else 1].squeeze()
    ).save(folder / "a.png")
    with (folder / "m.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    return folder / "m.csv"


@pytest.mark.parametrize(
    ("alias", "more", "column", "words"), REFUSED, ids=[f"{c[0]} {n}" for n, c in enumerate(REFUSED)]
)
def test_what_would_be_invalid_is_refused_with_the_section(alias, more, column, words, tmp_path):
    errors = [p.text for p in bulkdcm.check(manifest_of(tmp_path, alias, more)) if p.severity == "error"]
    assert any(column in text and words in text and "PS3.3" in text for text in errors), errors


def test_a_lossy_history_without_its_ratio_is_the_row_s_error_where_no_stream_tells_it(tmp_path):
    """The preflight reads no source: a JPEG would tell the ratio by itself."""
    report = bulkdcm.convert(
        manifest_of(tmp_path, "SC", {"LossyImageCompression": "01"}), tmp_path / "out", backend="sequential"
    )
    assert report.count("failed") == 1
    assert "needs LossyImageCompressionRatio" in report.table["message"][0]


@pytest.mark.parametrize(("alias", "more", "filled"), ACCEPTED, ids=[f"{c[0]} {n}" for n, c in enumerate(ACCEPTED)])
def test_what_is_complete_is_written_and_what_it_calls_up_is_there(alias, more, filled, tmp_path):
    report = bulkdcm.convert(manifest_of(tmp_path, alias, more), tmp_path / "out", backend="sequential")
    assert report.count("converted") == 1, report.table["message"].tolist()
    dataset = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert {keyword: str(dataset[keyword].value or "") for keyword in filled} == filled
    assert verify(tmp_path / "out" / "a.dcm") == ()


@pytest.mark.parametrize(
    ("name", "never", "instead"),
    [
        ("PET", "Dermoscopic", "SecondaryCaptureImageStorage"),
        ("PositronEmissionTomographyImageStorage", "Dermoscopic", "SecondaryCaptureImageStorage"),
        ("NM", "MR", "SecondaryCaptureImageStorage"),
        ("EnhancedCTImageStorage", "Did you mean CT", "SecondaryCaptureImageStorage"),
        ("RTIMAGE", "Did you mean", "SecondaryCaptureImageStorage"),
        ("CTImage", "Secondary", "CTImageStorage"),
        ("mammography", "DX", "MG"),
    ],
)
def test_advice_never_names_another_modality_s_class(name, never, instead, tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "m.csv").write_text(f"source,sop_class\na.png,{name}\n", encoding="utf-8")
    (problem,) = [p for p in bulkdcm.check(tmp_path / "m.csv") if p.column == "sop_class"]
    assert instead in problem.remedy
    assert never not in problem.remedy


def test_only_rows_that_call_something_up_run_again_after_what_is_written_for_them_changed(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((4, 4), dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "m.csv").write_text("source,PatientID,InstitutionName\na.png,1,\nb.png,2,X\n", encoding="utf-8")
    with monkeypatch.context() as before:
        before.setattr("bulkdcm.objects.image.Image.called_up_schema", 1)
        bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential")
        assert bulkdcm.plan(tmp_path / "m.csv", tmp_path / "out") == {"done": 2}
    assert bulkdcm.plan(tmp_path / "m.csv", tmp_path / "out") == {"done": 1, "schema changed": 1}
