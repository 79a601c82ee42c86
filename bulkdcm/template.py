"""An existing DICOM file as the default of every row: what it says, but not what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm import dicom_file, iods
from bulkdcm.attributes import dictionary, levels, values
from bulkdcm.errors import SettingsError
from bulkdcm.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

# Its own pixels: how they were made, compressed and are to be seen.
_OF_PIXELS = {
    "ImageType",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "DerivationDescription",
    "DerivationCodeSequence",
    "SourceImageSequence",
    "BurnedInAnnotation",
    "PixelAspectRatio",
    "PixelPaddingValue",
    "NumberOfFrames",
    "FrameIncrementPointer",
}
_OF_INSTANCE = {"InstanceNumber", "InstanceCreationDate", "InstanceCreationTime", "AcquisitionNumber"}


def read(path: Path) -> Dataset:
    """Return the dataset of a DICOM file without its pixels.

    Raises
    ------
    SettingsError
        Where it is none.
    """
    try:
        dataset = dicom_file.read(path.read_bytes(), Settings().max_pixels, stop_before_pixels=True)
        dataset.decode()
    except Exception as error:
        msg = f"{path}: no DICOM file that can be read: {error}."
        raise SettingsError(msg) from error
    return dataset


def defaults(path: Path, *, with_patient: bool) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a DICOM file as defaults for rows: column name and cell text.

    Parameters
    ----------
    path
        The file.
    with_patient
        Its patient too.

    Notes
    -----
    Left out are its identity (UIDs, instance) and its pixels, private attributes, and what a cell can't hold. Its SOP class
    is the default where bulkdcm writes it.
    """
    dataset = read(path)
    found = []
    if (uid := str(dataset.get("SOPClassUID", ""))) in iods.BY_UID:
        found.append(("sop_class", uid))
    patient = {"PatientID", "IssuerOfPatientID", *levels.PATIENT, "PatientAge", "PatientSize", "PatientWeight"}
    for element in dataset:
        left_out = element.keyword in _OF_PIXELS | _OF_INSTANCE or (element.keyword in patient and not with_patient)
        if not left_out and (text := _cell(element)):
            found.append((element.keyword, text))
    return tuple(found)


def _cell(element: DataElement) -> str:
    """Return the element as cell text; empty where it has no value or a cell can't hold it."""
    entry = dictionary.find(element.keyword)
    if (
        entry is None
        or element.keyword in dictionary.OWNED
        or element.VR in {"UI", "OB", "OW", "UN"}
        or element.is_empty
    ):
        return ""
    if element.VR == "SQ":
        if not entry.is_code_sequence:
            return ""
        codes = [
            (
                item.get("CodeValue") or item.get("LongCodeValue"),
                item.get("CodingSchemeDesignator"),
                item.get("CodeMeaning"),
            )
            for item in element.value
        ]
        return "\\".join("^".join(map(str, code)) for code in codes) if all(map(all, codes)) else ""
    parts = element.value if element.VM > 1 else [element.value]
    text = "\\".join(str(part) for part in parts)
    return "" if values.broken_rule(element.keyword, text) else text
