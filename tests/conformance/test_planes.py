"""Where an image lies in the patient: Secondary Capture has Image Plane since 2025, Dermoscopic no Frame of Reference."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm

PLANE = "ImagePositionPatient,ImageOrientationPatient,PixelSpacing"
VALUES = "0\\0\\5,1\\0\\0\\0\\1\\0,0.5\\0.5"


def convert(folder, header, values, **options):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "a.png")
    (folder / "m.csv").write_text(
        f"source,PatientID,InstanceNumber,SeriesNumber,StudyID,StudyDate,StudyTime,Modality,{header}\na.png,1,1,1,1,20230101,101010,OT,{values}\n",
        encoding="utf-8",
    )
    report = bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential", **options)
    return report, pydicom.dcmread(folder / "out" / "a.dcm")


def test_a_secondary_capture_may_be_a_plane_and_has_a_frame_of_reference_then(tmp_path):
    report, dataset = convert(tmp_path, PLANE, VALUES)
    assert not report.warnings
    assert dataset.ImagePositionPatient == [0, 0, 5]
    assert dataset.FrameOfReferenceUID.startswith("2.25.")
    assert dataset.PositionReferenceIndicator == ""
    assert dataset["SliceThickness"].value is None


def test_without_a_place_it_has_none(tmp_path):
    _, dataset = convert(tmp_path, "PixelSpacing", "0.5\\0.5")
    assert "FrameOfReferenceUID" not in dataset


def test_half_a_plane_is_refused(tmp_path):
    with pytest.raises(bulkdcm.ManifestError, match="ImageOrientationPatient"):
        convert(tmp_path, "ImagePositionPatient,PixelSpacing", "0\\0\\5,0.5\\0.5")


def test_a_dermoscopic_image_has_no_frame_of_reference(tmp_path):
    header = (
        "sop_class,Manufacturer,ManufacturerModelName,DeviceSerialNumber,SoftwareVersions,RecognizableVisualFeatures"
    )
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text(f"source,PatientID,{header}\na.png,1,DERM,A,B,1,2,NO\n", encoding="utf-8")
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential")
    assert "FrameOfReferenceUID" not in pydicom.dcmread(tmp_path / "out" / "a.dcm")
