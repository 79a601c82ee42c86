"""The DICOM modules that bulkdcm fills by itself, a declaration each; what depends on the row or frame has a function.

Every attribute may also come from the manifest; then it is already in the dataset when `fill` is called, and stays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement

from bulkdcm.attributes import body_parts, values
from bulkdcm.model import Module

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from bulkdcm.elements import Elements
    from bulkdcm.model import Frame, ManifestRow


def put(dataset: Elements | Dataset, keyword: str, text: str) -> None:
    """Put an attribute into `dataset` from its text, whatever was there."""
    dataset.add(values.element(keyword, text))


def _name_in_current_form(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del frame
    if name := row.attributes.get("PatientName", ""):
        put(dataset, "PatientName", values.person_name(name))


PATIENT = Module(
    name="Patient",
    section="C.7.1.1",
    empty=("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    fill=_name_in_current_form,
)

GENERAL_STUDY = Module(
    name="General Study",
    section="C.7.2.1",
    empty=("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)


def _laterality(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del frame
    if "Laterality" in row.attributes or "ImageLaterality" in row.attributes:
        return
    part = body_parts.table().get(row.attributes.get("BodyPartExamined", ""))
    if part is None or not part.laterality_refused:
        # Paired or not known to be unpaired: one of the two has to be there, and we don't know the side.
        put(dataset, "ImageLaterality", "")


GENERAL_SERIES = Module(name="General Series", section="C.7.3.1", empty=("SeriesNumber",), fill=_laterality)

GENERAL_EQUIPMENT = Module(name="General Equipment", section="C.7.5.1", empty=("Manufacturer",))

SC_EQUIPMENT = Module(name="SC Equipment", section="C.8.6.1", defaults=(("ConversionType", "WSD"),))

CR_SERIES = Module(name="CR Series", section="C.8.1.1", empty=("ViewPosition",))


def _lossy_history(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    if not frame.lossy:
        return
    # What the row knows of earlier compressions stays, ours comes last (PS3.3 C.7.6.1.1.5.2: in the order applied).
    put(dataset, "LossyImageCompression", "01")
    for keyword, texts in (
        ("LossyImageCompressionRatio", [f"{lossy.ratio:.4f}" for lossy in frame.lossy]),
        ("LossyImageCompressionMethod", [lossy.method for lossy in frame.lossy]),
    ):
        if any(texts):
            put(dataset, keyword, "\\".join(text for text in (row.attributes.get(keyword, ""), *texts) if text))


GENERAL_IMAGE = Module(
    name="General Image",
    section="C.7.6.1",
    empty=("InstanceNumber", "PatientOrientation"),
    # ORIGINAL would claim that the pixels come straight from a sensor, which nobody can know of a PNG or JPEG.
    defaults=(("ImageType", "DERIVED\\SECONDARY"),),
    fill=_lossy_history,
    varies=True,
)


def _image_pixel(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del row
    color = frame.samples_per_pixel == 3
    for tag, vr, value in (
        (0x00280002, "US", frame.samples_per_pixel),
        (0x00280004, "CS", frame.photometric_interpretation),
        (0x00280006, "US", 0 if color else None),
        (0x00280010, "US", frame.rows),
        (0x00280011, "US", frame.columns),
        (0x00280100, "US", frame.bits_allocated),
        (0x00280101, "US", frame.bits_stored),
        (0x00280102, "US", frame.bits_stored - 1),
        (0x00280103, "US", 0),
    ):
        if value is not None:
            dataset.add(_shared(tag, vr, value))


@lru_cache(maxsize=4096)
def _shared(tag: int, vr: str, value: int | str) -> DataElement:
    """Return the element, the same one for all images that have it: it is then encoded once."""
    return DataElement(tag, vr, value)


IMAGE_PIXEL = Module(name="Image Pixel", section="C.7.6.3", fill=_image_pixel)


def _icc_profile(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del row
    if frame.icc_profile and frame.samples_per_pixel == 3:
        dataset.add(DataElement(0x00282000, "OB", frame.icc_profile + b"\0" * (len(frame.icc_profile) % 2)))
        if frame.color_space:
            put(dataset, "ColorSpace", frame.color_space)


ICC_PROFILE = Module(name="ICC Profile", section="C.11.15", fill=_icc_profile)

US_IMAGE = Module(name="US Image", section="C.8.5.6")

VOI_LUT = Module(name="VOI LUT", section="C.11.2")  # filled by `build`, from the frame

ACQUISITION_CONTEXT = Module(name="Acquisition Context", section="C.7.6.14", empty=("AcquisitionContextSequence",))


def _vl_lossy(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    # Type 2 here: known for a lossy source, unknown for a PNG that may have been a JPEG before.
    del row
    if not frame.lossy and dataset.value("LossyImageCompression") is None:
        put(dataset, "LossyImageCompression", "")


VL_IMAGE = Module(name="VL Image", section="C.8.12.1", fill=_vl_lossy)

SOP_COMMON = Module(name="SOP Common", section="C.12.1", defaults=(("SpecificCharacterSet", "ISO_IR 192"),))
