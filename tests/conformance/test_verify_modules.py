"""`verify` on the modules of each SOP class: nothing in good files, and all that dciodvfy finds where an attribute is lost."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING

import pydicom
import pytest

from bulkdcm.iods import BY_NAME
from bulkdcm.validation import verify
from tests.conformance import cases, readers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What dciodvfy asks for and PS3.3 2025 doesn't, or doesn't of a file by itself.
GAPS = {
    ("DERM", "FrameOfReferenceUID"): "A.32.11 has no Frame of Reference",
    ("DERM", "PositionReferenceIndicator"): "A.32.11 has no Frame of Reference",
    ("DX", "AnatomicRegionSequence"): "Type 2: whether it is known is not in the file (C.8.11.2)",
    # Type 2C, of paired parts (C.7.3.1): dciodvfy takes a part that it isn't told for one.
    **dict.fromkeys([(alias, "BodyPartExamined") for alias in cases.ALIASES], "Laterality"),
    **dict.fromkeys([(alias, "ImageLaterality") for alias in ("XC", "GM", "DERM")], "Laterality"),
}
SAMPLE = ("SC", "DX")  # of the 18 classes, in `make test`


def elements_of(dataset, path=()) -> Iterator[tuple[int, ...]]:
    """Yield where each element is: tags, and the number of the item after each sequence's."""
    for element in dataset:
        if element.keyword != "SpecificCharacterSet":  # without it, the names couldn't be written
            yield (*path, element.tag)
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from elements_of(item, (*path, element.tag, number))


def broken(path: Path, at: tuple[int, ...], *, emptied: bool) -> bytes | None:
    """Return the file without one element or its value; None where it has no value to lose."""
    dataset = pydicom.dcmread(path)
    level = dataset
    for tag, number in zip(at[:-1:2], at[1:-1:2], strict=True):
        level = level[tag].value[number]
    element = level[at[-1]]
    if not emptied:
        del level[at[-1]]
    elif element.is_empty or element.keyword == "PixelData":
        return None
    else:
        empty = [] if element.VR == "SQ" else None
        level[at[-1]] = pydicom.DataElement(element.tag, element.VR, empty)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=False, little_endian=True, implicit_vr=False)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def of_class(tmp_path_factory):
    """Return a function from a class to files of it, made once."""
    made: dict[str, list[Path]] = {}

    def paths(alias: str) -> list[Path]:
        if alias not in made:
            folder = tmp_path_factory.mktemp(alias)
            found = cases.convert(folder, BY_NAME[alias], "auto")
            made[alias] = [path for case in found for path in case.paths]
        return made[alias]

    return paths


@pytest.mark.parametrize("alias", cases.ALIASES)
def test_good_files_of_every_class_have_no_findings(alias, of_class):
    assert [str(finding) for path in of_class(alias) for finding in verify(path)] == []


@pytest.mark.parametrize(
    "alias", [pytest.param(alias, marks=() if alias in SAMPLE else pytest.mark.long) for alias in cases.ALIASES]
)
def test_what_dciodvfy_finds_lost_is_found(alias, of_class, tmp_path, record_property):
    readers.need("dciodvfy")
    good = min(of_class(alias))
    path = tmp_path / "broken.dcm"
    counts, missed = Counter(), []
    with pydicom.config.disable_value_validation():
        for at in elements_of(pydicom.dcmread(good)):
            for emptied in (False, True):
                data = broken(good, at, emptied=emptied)
                if data is None:
                    continue
                path.write_bytes(data)
                others = [
                    text for text in (*readers.dciodvfy(path), *readers.dciodvfy_new(path)) if text.startswith("Error")
                ]
                own = verify(path)
                keyword = pydicom.datadict.keyword_for_tag(at[-1])
                counts[f"dciodvfy {bool(others)}, verify {bool(own)}"] += 1
                if others and not own and (alias, keyword) not in GAPS:
                    missed.append((keyword, "emptied" if emptied else "dropped", others[0]))
    record_property("counts", dict(counts))
    assert not missed
    assert counts["dciodvfy True, verify True"] >= 40


def changed(dataset, **attributes):
    for keyword, value in attributes.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)


def code(**without):
    item = pydicom.Dataset()
    changed(item, CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning="m")
    changed(item, **without)
    return item


# class, what is done, and the beginning of the one finding.
WRONG = [
    ("SC", {"PatientName": None}, "PatientName: missing; the Patient module must have it, empty if unknown (Type 2, PS3.3 C.7.1.1)"),
    ("SC", {"Modality": ""}, "Modality: every image must have it"),
    ("SC", {"ConversionType": ""}, "ConversionType: without a value, which the SC Equipment module needs (Type 1, PS3.3 C.8.6.1)"),
    # Modules that are called up.
    ("SC", {"InstitutionName": "X"}, "Manufacturer: missing; the General Equipment module"),
    ("SC", {"PositionReferenceIndicator": "X"}, "FrameOfReferenceUID: missing; the Frame of Reference module"),
    ("SC", {"RescaleSlope": "1"}, "RescaleIntercept: missing; the Modality LUT module must have it, since ModalityLUTSequence is missing (Type 1C, PS3.3 C.11.1)"),
    ("SC", {"WindowCenter": "1", "WindowWidth": None}, "WindowWidth: missing; the VOI LUT module must have it, since WindowCenter has a value"),
    ("SC", {"ClinicalTrialSubjectID": "1"}, "ClinicalTrialSponsorName: missing"),
    ("CR", {"ShutterPresentationValue": 1}, "ShutterShape: missing; the Display Shutter module"),
    ("DX", {"CollimatorShape": "CIRCULAR", "RadiusOfCircularCollimator": "1"}, "CenterOfCircularCollimator: missing; the X-Ray Collimator module must have it, since CollimatorShape is CIRCULAR"),
    ("SM", {"SpecimenDescriptionSequence": [pydicom.Dataset()]}, "SpecimenDescriptionSequence[1].SpecimenIdentifier: missing"),
    # Conditions.
    ("SC", {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, "FrameOfReferenceUID: missing"),
    ("SC", {"PatientIdentityRemoved": "YES"}, "DeidentificationMethod: missing; the Patient module must have it, since PatientIdentityRemoved is YES and DeidentificationMethodCodeSequence is missing"),
    ("SC", {"BodyPartExamined": "HAND"}, "Laterality: missing; the General Series module must have it, empty if unknown, since BodyPartExamined is HAND"),
    ("MR", {"RepetitionTime": None}, "RepetitionTime: missing; the MR Image module must have it, empty if unknown, since ScanningSequence is not EP"),
    ("DX", {"PixelSpacingCalibrationType": "GEOMETRY"}, "PixelSpacingCalibrationDescription: missing"),
    ("DX", {"WindowCenter": None, "WindowWidth": None}, "WindowCenter: missing; the DX Image module"),
    ("SC-BYTE", {"NominalScannedPixelSpacing": [1, 1]}, "NominalScannedPixelSpacing: there, which the SC Multi-frame Image module allows only if ConversionType is DF or SD or SI"),
    ("SC-BYTE", {"ConversionType": "DF"}, "NominalScannedPixelSpacing: missing"),
    ("IO", {"PrimaryAnatomicStructureSequence": None}, "PrimaryAnatomicStructureSequence: missing"),
    ("OP8", {"ImageType": ["DERIVED", "PRIMARY"]}, "SourceImageSequence: missing"),
    # Items.
    ("DX", {"ViewCodeSequence": [code(CodeMeaning=None)]}, "ViewCodeSequence[1].CodeMeaning: missing"),
    ("DX", {"ViewCodeSequence": [code(), code(CodingSchemeDesignator=None)]}, "ViewCodeSequence[2].CodingSchemeDesignator: missing"),
    ("SC", {"ReferencedImageSequence": [pydicom.Dataset()]}, "ReferencedImageSequence[1].ReferencedSOPClassUID: missing"),
    # Enumerated Values.
    ("MG", {"ImageLaterality": "U"}, "ImageLaterality: 'U'; the Mammography Image module allows R, L, B (PS3.3 C.8.11.7)"),
    ("DX", {"RescaleSlope": "2"}, "RescaleSlope: '2'; the DX Image module allows 1 (PS3.3 C.8.11.3)"),
    ("DX", {"PixelIntensityRelationship": "DISP"}, "PixelIntensityRelationship: 'DISP'; the DX Image module allows LIN, LOG"),
    ("DX", {"PresentationIntentType": "FOR PROCESSING"}, "PresentationIntentType: 'FOR PROCESSING'; the IOD allows FOR PRESENTATION"),
    ("OP8", {"PresentationLUTShape": "INVERSE"}, "PresentationLUTShape: 'INVERSE'; the Ophthalmic Photography Image module allows IDENTITY"),
    ("US", {"UltrasoundColorDataPresent": 2}, "UltrasoundColorDataPresent: '2'; the US Image module allows 00, 01"),
    ("ES", {"Modality": "XC"}, "Modality: 'XC'; the IOD allows ES"),
    ("SC-BYTE", {"NumberOfFrames": 2, "FrameIncrementPointer": 0x00181063}, "FrameTime: missing, though FrameIncrementPointer names it"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "change", "expected"), [pytest.param(*case, id=f"{case[0]}: {case[2][:50]}") for case in WRONG]
)
def test_a_module_that_is_broken_is_named(alias, change, expected, of_class, tmp_path):
    dataset = pydicom.dcmread(min(of_class(alias)))
    with pydicom.config.disable_value_validation():
        changed(dataset, **change)
        dataset.save_as(tmp_path / "a.dcm")
    found = [f"{finding.where}: {finding.rule}" for finding in verify(tmp_path / "a.dcm")]
    assert any(text.startswith(expected) for text in found), found
    assert len({text.partition(":")[0] for text in found}) == len(found), "one attribute, one message"


def test_images_of_other_classes_need_what_all_have(of_class, tmp_path):
    dataset = pydicom.dcmread(of_class("SC")[0])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.128"  # PET
    del dataset.StudyID
    dataset.save_as(tmp_path / "a.dcm")
    assert [finding.where for finding in verify(tmp_path / "a.dcm")] == ["StudyID"]
