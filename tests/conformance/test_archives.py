"""Real archives take every file, and sort them as the manifest says."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

import bulkdcm
from bulkdcm.iods import IODS
from tests.conformance import archives, cases, readers

DEMO = Path(__file__).parents[2] / "manifests" / "demo" / "manifest.csv"


def converted_demo(folder: Path) -> tuple[bulkdcm.Report, list[Path]]:
    report = bulkdcm.convert(DEMO, folder)
    done = report.table[report.table["status"] == "converted"]
    return report, [folder / output for output in done["output"]]


def assert_same_elements(sent: pydicom.Dataset, got: pydicom.Dataset) -> None:
    assert {element.tag: element.value for element in sent} == {element.tag: element.value for element in got}
    assert sent.file_meta.TransferSyntaxUID == got.file_meta.TransferSyntaxUID


def test_orthanc_counts_patients_studies_series_and_instances_as_the_manifest_has_them(tmp_path):
    readers.need("Orthanc", "storescu")
    report, paths = converted_demo(tmp_path / "out")
    done = report.table[report.table["status"] == "converted"]
    patients = {pydicom.dcmread(path, stop_before_pixels=True).PatientID for path in paths}
    with archives.orthanc(tmp_path) as server:
        assert not archives.store(paths, "ORTHANC", server.dicom_port)
        assert server.statistics() == {
            "patients": len(patients),
            "studies": done["study_instance_uid"].nunique(),
            "series": done["series_instance_uid"].nunique(),
            "instances": len(paths),
        }
        names = server.sop_instance_uids()
        for path in paths:
            dataset = pydicom.dcmread(path)
            name = names[dataset.SOPInstanceUID]
            assert_same_elements(dataset, pydicom.dcmread(io.BytesIO(server.get(f"/instances/{name}/file"))))
            if (
                dataset.SamplesPerPixel == 1 or dataset.BitsAllocated == 8
            ):  # this Orthanc stores RGB of 16 bits, but shows none
                assert server.get(f"/instances/{name}/preview").startswith(b"\x89PNG"), path


@pytest.mark.parametrize("iod", IODS, ids=lambda iod: iod.alias)
def test_storescp_takes_every_class_byte_for_byte(iod, tmp_path):
    readers.need("storescp", "storescu")
    paths = [path for case in cases.convert(tmp_path, iod, "auto") for path in case.paths]
    received = tmp_path / "received"
    with archives.storescp(received) as port:
        assert not archives.store(paths, "ANY-SCP", port)
    by_uid = {pydicom.dcmread(path).SOPInstanceUID: path for path in received.iterdir()}
    assert len(by_uid) == len(paths)
    for path in paths:
        sent = pydicom.dcmread(path)
        assert_same_elements(sent, pydicom.dcmread(by_uid[sent.SOPInstanceUID]))


# Decoded by this Orthanc; it has no JPEG 2000 codec, and is older than HTJ2K and the dermoscopic class.
_ORTHANC_SYNTAXES = ("auto", "implicit", "deflated", "rle", "jpeg-lossless", "jpeg-ls")


def test_orthanc_takes_every_class_and_decodes_every_syntax_to_the_same_pixels(tmp_path):
    readers.need("Orthanc", "storescu")
    made = [
        case
        for iod in IODS
        for syntax in (_ORTHANC_SYNTAXES if iod.alias == "SC" else ("auto",))
        for case in cases.convert(tmp_path / iod.alias, iod, syntax)
        if iod.alias != "DERM"
    ]
    expected = {}
    for case in made:
        for path, pixels in zip(case.paths, case.pixels, strict=True):
            uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
            # It shows no colour of 16 bits.
            expected[uid] = None if pixels is None or case.kind.startswith("rgb16") else pixels
    with archives.orthanc(tmp_path) as server:
        for case in made:
            assert not archives.store(case.paths, "ORTHANC", server.dicom_port)
        found = server.sop_instance_uids()
        assert set(found) == set(expected)
        for uid, pixels in expected.items():
            if pixels is not None:
                stored = np.load(io.BytesIO(server.get(f"/instances/{found[uid]}/numpy?rescale=0")))
                np.testing.assert_array_equal(stored.reshape(pixels.shape), pixels)
