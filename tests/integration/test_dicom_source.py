"""A DICOM file as the source of a row, and as the template of all rows."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

import bulkdcm
from bulkdcm.attributes import dictionary, of_one_image

COLUMNS = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,AccessionNumber"


@pytest.fixture
def made(tmp_path):
    """Return a folder with a native, a passed-through and a compressed DICOM file of one study of ours."""
    rng = np.random.default_rng(2)
    Image.fromarray(rng.integers(0, 255, (20, 30), dtype=np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)).save(tmp_path / "b.jpg")
    lines = [COLUMNS, *(f"{name},1,张^三,20230102,101112,1,1,{n},A" for n, name in enumerate(("a.png", "b.jpg"), 1))]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "dcm")
    return tmp_path / "dcm"


def restamped(folder, out, *rows: str, **options):
    manifest = folder / "again.csv"
    manifest.write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    report = bulkdcm.convert(manifest, out, **options)
    assert set(report.table["status"]) == {"converted"}, report.table["message"].tolist()
    return report


def test_new_metadata_the_same_pixels_bit_for_bit(made, tmp_path):
    report = restamped(
        made, tmp_path / "out", "a.dcm,7,李^四,20240101,120000,5,1,1,B", "b.dcm,7,李^四,20240101,120000,5,1,2,B"
    )
    for name in ("a.dcm", "b.dcm"):
        old, new = pydicom.dcmread(made / name), pydicom.dcmread(tmp_path / "out" / name)
        assert new.PixelData == old.PixelData
        assert new.file_meta.TransferSyntaxUID == old.file_meta.TransferSyntaxUID
        assert (new.PatientID, str(new.PatientName), new.AccessionNumber) == ("7", "李^四", "B")
        assert new.SOPInstanceUID != old.SOPInstanceUID
        assert new.StudyInstanceUID != old.StudyInstanceUID
        assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
        assert new.DerivationDescription
    assert report.table["study_instance_uid"].nunique() == 1
    assert set(report.table["decisions"]) == {"re-stamped: pixels and transfer syntax as they were"}


def test_an_empty_cell_leaves_the_file_its_value_and_given_uids_win(made, tmp_path):
    manifest = made / "again.csv"
    manifest.write_text("source,PatientID,SOPInstanceUID\na.dcm,,1.2.3\n", encoding="utf-8")
    assert not bulkdcm.check(manifest)
    bulkdcm.convert(manifest, tmp_path / "out")
    new = pydicom.dcmread(tmp_path / "out/a.dcm")
    assert (new.PatientID, new.SOPInstanceUID, new.file_meta.MediaStorageSOPInstanceUID) == ("1", "1.2.3", "1.2.3")


def test_the_same_twice_and_with_other_workers(made, tmp_path):
    row = "a.dcm,7,A^B,20240101,120000,5,1,1,B"
    restamped(made, tmp_path / "one", row, backend="sequential")
    restamped(made, tmp_path / "two", row, n_jobs=2)
    assert (tmp_path / "one/a.dcm").read_bytes() == (tmp_path / "two/a.dcm").read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "JPEG2000.dcm",
        "MR_small_bigendian.dcm",
        "image_dfl.dcm",
        "rtplan.dcm",
        "reportsi.dcm",
    ],
)
def test_files_of_other_makers(name, tmp_path):
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom came without {name}")
    shutil.copy(path, tmp_path / name)
    report = restamped(tmp_path, tmp_path / "out", f"{name},7,张^三,20240101,120000,5,1,1,B")
    assert list(report.table["status"]) == ["converted"]
    old, new = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "out" / name)
    assert new.get("PixelData") == old.get("PixelData")
    assert new.SOPClassUID == old.SOPClassUID
    changed = {"PatientID", "PatientName", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber"}
    changed |= {"AccessionNumber", "SpecificCharacterSet", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"}
    changed |= {"SourceImageSequence", "DerivationDescription"}
    for element in old:
        if element.keyword not in changed and element.VR != "SQ":
            assert new[element.tag].value == element.value, element.keyword


def test_what_is_none_or_not_called_so_is_said(made, tmp_path):
    (made / "text.dcm").write_text("no DICOM", encoding="utf-8")
    (made / "b.dcm").rename(made / "b.png")
    manifest = made / "again.csv"
    manifest.write_text(
        "source,sop_class\ntext.dcm,\nb.png,\nb.png,DICOM\n".replace("b.png,DICOM", "a.dcm,SC"), encoding="utf-8"
    )
    report = bulkdcm.convert(manifest, tmp_path / "out")
    first, second, third = report.table["message"]
    assert "no DICOM file" in first
    assert "sop_class DICOM" in second
    assert "sop_class DICOM" in third


def test_a_template_gives_what_it_says_but_not_what_it_is(made, tmp_path):
    template = pydicom.dcmread(made / "a.dcm")
    template.Manufacturer, template.KVP, template.StudyDescription = "Maker", 80, "学^习"
    template.PatientSex, template.SOPClassUID = "F", "1.2.840.10008.5.1.4.1.1.1"
    template.Modality = "CR"
    template.save_as(tmp_path / "t.dcm")
    (tmp_path / "n.csv").write_text("source,PatientID,StudyID\na.png,9,3\n", encoding="utf-8")
    bulkdcm.convert(
        tmp_path / "n.csv", tmp_path / "out", template=tmp_path / "t.dcm", defaults={"Manufacturer": "Other"}
    )
    new = pydicom.dcmread(tmp_path / "out/a.dcm")
    assert (new.PatientID, new.StudyID, new.StudyDate, new.StudyDescription) == ("9", "3", "20230102", "学^习")
    assert (new.Manufacturer, new.KVP, new.PatientSex, new.Modality) == ("Other", 80, "", "CR")
    assert new.SOPClassUID == template.SOPClassUID
    assert new.SOPInstanceUID != template.SOPInstanceUID
    assert new.Rows == 20
    bulkdcm.convert(tmp_path / "n.csv", tmp_path / "2", template=tmp_path / "t.dcm", template_patient=True)
    assert pydicom.dcmread(tmp_path / "2/a.dcm").PatientSex == "F"


# One attribute of each kind that only the template's own pixels have.
OF_ITS_PIXELS = {
    "RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU", "WindowCenter": 40, "WindowWidth": 400,
    "VOILUTFunction": "SIGMOID", "PresentationLUTShape": "INVERSE", "SmallestImagePixelValue": 7,
    "LargestPixelValueInSeries": 9, "PixelPaddingValue": 3, "PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2],
    "NominalScannedPixelSpacing": [0.2, 0.2], "PixelAspectRatio": [1, 2], "PixelSpacingCalibrationType": "GEOMETRY",
    "ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceThickness": 5,
    "SliceLocation": 12, "SpacingBetweenSlices": 5, "PatientOrientation": ["L", "F"], "PixelIntensityRelationship": "LIN",
    "PixelIntensityRelationshipSign": 1, "LossyImageCompression": "01", "LossyImageCompressionRatio": 7,
    "BurnedInAnnotation": "NO", "ImageType": ["ORIGINAL", "PRIMARY"], "ConversionType": "DF", "FrameTime": 40,
    "AcquisitionNumber": 4, "AcquisitionDate": "20200101", "ContentTime": "101010", "ImageComments": "a nodule",
    "UltrasoundColorDataPresent": 0, "RedPaletteColorLookupTableDescriptor": [256, 0, 8], "ShutterShape": "CIRCULAR",
    "FieldOfViewRotation": 90, "ExposureIndex": 300, "GPSLatitudeRef": "N",
}  # fmt: skip


@pytest.mark.parametrize("source", ["a.png", "b.jpg"])
def test_what_describes_the_template_s_pixels_stays_with_it(source, made, tmp_path):
    plain = pydicom.dcmread(made / "a.dcm")
    del plain.ConversionType, plain.PatientOrientation
    plain.save_as(tmp_path / "plain.dcm")
    template = pydicom.dcmread(tmp_path / "plain.dcm")
    for keyword, value in OF_ITS_PIXELS.items():
        setattr(template, keyword, value)
        template[keyword].VR = template[keyword].VR.split(" ")[0]  # US of "US or SS"
    template.add_new(0x60000010, "US", 20)  # Overlay Rows
    template.add_new(0x60000022, "LO", "an overlay")
    template.PatientIdentityRemoved, template.PatientAddress = "YES", "a street"
    template.save_as(tmp_path / "t.dcm")
    (tmp_path / "n.csv").write_text(f"source,PatientID,StudyID\n{source},9,3\n")
    written = []
    for name in ("t.dcm", "plain.dcm"):
        report = bulkdcm.convert(tmp_path / "n.csv", tmp_path / name[0], template=tmp_path / name)
        assert report.table["status"].tolist() == ["converted"], report.table["message"].tolist()
        written.append(pydicom.dcmread(tmp_path / name[0] / f"{source[0]}.dcm"))
    assert written[0] == written[1]
    assert "RescaleIntercept" not in written[0]
    assert template.RescaleIntercept == -1024


def test_every_attribute_that_a_template_keeps_for_itself_is_one():
    named = [*of_one_image.OF_PIXELS.values(), *of_one_image.OF_INSTANCE.values(), " ".join(of_one_image.OF_PATIENT)]
    assert not [keyword for words in named for keyword in words.split() if dictionary.find(keyword) is None]


@pytest.mark.usefixtures("made")
def test_a_template_that_is_none_is_said(tmp_path, bulkdcm_command):
    done = bulkdcm_command("convert", tmp_path / "m.csv", "--out", tmp_path / "x", "--template", tmp_path / "a.png")
    assert done.returncode == 2
    assert "no DICOM file" in done.stderr


def test_show_names_what_a_file_is(made, bulkdcm_command):
    done = bulkdcm_command("show", made / "b.dcm")
    assert done.returncode == 0, done.stderr
    assert "Secondary Capture Image Storage" in done.stdout
    assert "JPEG Baseline" in done.stdout
    assert "PatientName  张^三" in done.stdout
    assert bulkdcm_command("show", made / "missing.dcm").returncode == 2
