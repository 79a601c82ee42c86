"""The SOP Classes, one declaration each. A new one is an entry here (and, where it has its own, a module beside)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.iods import cross_sectional as cs
from bulkdcm.iods import modules as m
from bulkdcm.iods import multi_frame as mf
from bulkdcm.iods import projection as x
from bulkdcm.iods import visible_light as vl
from bulkdcm.model import IOD

if TYPE_CHECKING:
    from bulkdcm.model import Module

_COMMON = (m.SOP_COMMON, m.PATIENT, m.GENERAL_STUDY, m.GENERAL_SERIES)
_IMAGE = (m.GENERAL_IMAGE, m.IMAGE_PIXEL)
_VL = (*_COMMON, m.GENERAL_EQUIPMENT, *_IMAGE, m.ACQUISITION_CONTEXT, m.VL_IMAGE, m.ICC_PROFILE)
_GRAY = frozenset({"MONOCHROME2"})
# PS3.5 8.2.1: a colour JPEG stream is YBR_FULL_422 or, where it holds RGB, RGB.
_GRAY_YBR = _GRAY | {"YBR_FULL_422"}


_OF_A_SCAN, _AT_THE_DETECTOR = "NominalScannedPixelSpacing", "ImagerPixelSpacing"  # PS3.3 C.8.6.2, C.8.1.2, C.8.11.4
_ROOT = "1.2.840.10008.5.1.4.1.1"
_BURNED_IN = ("BurnedInAnnotation", "whether names or numbers are drawn into the pixels (PS3.3 C.7.6.1.1.3)")
_LOSSY_HISTORY = (
    "LossyImageCompression",
    "whether the pixels were ever compressed with loss, which a PNG doesn't tell: 00 or 01 (PS3.3 C.7.6.1.1.5)",
)
_LATERALITY = {
    "DX": "the side: R, L, B, or U for an unpaired part (PS3.3 C.8.11.2)",
    "MG": "the side: R, L, or B for both (PS3.3 C.8.11.7)",
    "IO": "the side: R, L, or B for the midline (PS3.3 C.8.11.9)",
}
_ORIENTATION = ("PatientOrientation", "which way rows and columns run, such as L\\F (PS3.3 C.7.6.1.1.1)")
_PROJECTION = (
    _ORIENTATION,
    ("ImagerPixelSpacing", "the size of a pixel at the detector, in mm (PS3.3 C.8.11.4)"),
    _BURNED_IN,
    (
        "PixelIntensityRelationship",
        "how pixel values follow from the X-ray intensity: LIN or LOG (PS3.3 C.8.11.3)",
    ),
    ("PixelIntensityRelationshipSign", "1 if more intensity is a higher value, else -1 (PS3.3 C.8.11.3)"),
    _LOSSY_HISTORY,
)
_PLANE = (
    ("ImagePositionPatient", "where the slice is (PS3.3 C.7.6.2)"),
    ("ImageOrientationPatient", "how the slice lies (PS3.3 C.7.6.2)"),
    ("PixelSpacing", "the size of a pixel in the patient, in mm (PS3.3 C.7.6.2)"),
)
_OPHTHALMIC = (
    ("ImageLaterality", "which eye: R, L or B (PS3.3 C.8.17.5)"),
    ("AcquisitionDateTime", "when it was taken (PS3.3 C.8.17.2)"),
    ("AcquisitionDeviceTypeCodeSequence", "the kind of camera, such as 409898007^SCT^Fundus Camera (PS3.3 C.8.17.3)"),
    ("AnatomicRegionSequence", "the part of the eye, such as 5665001^SCT^Retina (PS3.3 C.8.17.5)"),
    _BURNED_IN,
    _LOSSY_HISTORY,
    ("ImageType", "ORIGINAL\\PRIMARY if the pixels come straight from the camera (PS3.3 C.8.17.2.1.4)"),
)


def _sc_multi_frame(alias: str, keyword: str, suffix: str, kinds: set[Any], own: tuple[Module, ...]) -> IOD:
    color = "rgb8" in kinds
    return IOD(
        alias=alias,
        keyword=keyword,
        sop_class_uid=f"{_ROOT}.7.{suffix}",
        section=f"A.8.{suffix}",
        modalities=(),
        modules=(
            *_COMMON,
            m.SC_EQUIPMENT,
            *_IMAGE,
            mf.MULTI_FRAME,
            *own,
            m.ICC_PROFILE,
            *(() if color else (m.VOI_LUT,)),
        ),
        pixel_kinds=frozenset(kinds),
        photometric_interpretations=frozenset({"YBR_FULL_422"}) if color else _GRAY,
        required=(_BURNED_IN,),
        multi_frame=True,
        spacing=_OF_A_SCAN,
    )


def _projection(
    alias: str, keyword: str, suffix: str, own: tuple[Module, ...], more: tuple[tuple[str, str], ...]
) -> IOD:
    return IOD(
        alias=alias,
        keyword=keyword,
        sop_class_uid=f"{_ROOT}.1.{suffix}",
        section={"DX": "A.26", "MG": "A.27", "IO": "A.28"}[alias],
        modalities=(alias,),
        modules=(
            *_COMMON, x.DX_SERIES, m.GENERAL_EQUIPMENT, *_IMAGE, x.DX_ANATOMY_IMAGED, x.DX_IMAGE, x.DX_DETECTOR, *own,
            m.ACQUISITION_CONTEXT, m.VOI_LUT,
        ),
        pixel_kinds=frozenset({"gray8", "gray16"}),
        photometric_interpretations=_GRAY,
        monochrome1=True,
        spacing=_AT_THE_DETECTOR,
        required=(("ImageLaterality", _LATERALITY[alias]), *_PROJECTION, *more),
    )  # fmt: skip


def _slices(alias: str, keyword: str, suffix: str, own: Module, more: tuple[tuple[str, str], ...]) -> IOD:
    return IOD(
        alias=alias,
        keyword=keyword,
        sop_class_uid=f"{_ROOT}.{suffix}",
        section={"CT": "A.3", "MR": "A.4"}[alias],
        modalities=(alias,),
        modules=(
            *_COMMON, cs.PATIENT_POSITION, cs.FRAME_OF_REFERENCE, m.GENERAL_EQUIPMENT, *_IMAGE, cs.IMAGE_PLANE, own, m.VOI_LUT,
        ),
        pixel_kinds=frozenset({"gray16"}),
        photometric_interpretations=frozenset(),  # a JPEG has lost what a slice is measured by
        monochrome1=True,
        required=(*_PLANE, *more, ("ImageType", "what the slice is, such as ORIGINAL\\PRIMARY\\AXIAL (PS3.3 C.8.2.1.1.1)")),
        frame_of_reference="FrameOfReferenceUID",
        least_deep_bits=12 if alias == "CT" else 9,  # PS3.3 C.8.2.1.1.5
    )  # fmt: skip


def _ophthalmic(alias: str, keyword: str, suffix: str, kinds: set[Any]) -> IOD:
    return IOD(
        alias=alias,
        keyword=keyword,
        sop_class_uid=f"{_ROOT}.77.1.5.{suffix}",
        section=f"A.4{suffix}",
        modalities=("OP",),
        modules=(
            *_COMMON, vl.SYNCHRONIZATION, m.GENERAL_EQUIPMENT, *_IMAGE, mf.CINE, vl.OPHTHALMIC_PHOTOGRAPHY_IMAGE,
            vl.OPHTHALMIC_PHOTOGRAPHIC_PARAMETERS, vl.OPHTHALMIC_PHOTOGRAPHY_PARAMETERS, m.ICC_PROFILE,
        ),
        pixel_kinds=frozenset(kinds),
        photometric_interpretations=_GRAY_YBR if "rgb8" in kinds else _GRAY,
        required=_OPHTHALMIC,
        frame_of_reference="SynchronizationFrameOfReferenceUID",
        multi_frame=True,
        least_deep_bits=16,  # PS3.3 C.8.17.2
    )  # fmt: skip


def _vl(alias: str, keyword: str, suffix: str, section: str, **own: Any) -> IOD:
    modules = own.pop("modules", ())
    return IOD(
        alias=alias,
        keyword=keyword,
        sop_class_uid=f"{_ROOT}.77.1.{suffix}",
        section=section,
        modalities=own.pop("modalities", (alias,)),
        modules=(*_VL, *modules),
        pixel_kinds=frozenset({"gray8", "rgb8"}),
        photometric_interpretations=_GRAY_YBR,
        **own,
    )


DEFAULT = "SecondaryCaptureImageStorage"

IODS: tuple[IOD, ...] = (
    IOD(
        alias="SC",
        keyword=DEFAULT,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
        section="A.8.1",
        modalities=(),
        modules=(*_COMMON, m.SC_EQUIPMENT, *_IMAGE, m.VOI_LUT, m.ICC_PROFILE),
        pixel_kinds=frozenset({"gray8", "gray16", "rgb8", "rgb16"}),
        photometric_interpretations=_GRAY_YBR | {"RGB"},
        monochrome1=True,
        spacing=_OF_A_SCAN,
    ),
    IOD(
        alias="CR",
        keyword="ComputedRadiographyImageStorage",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        section="A.2",
        modalities=("CR", "DX", "MG", "PX", "IO", "RG"),
        modules=(*_COMMON, m.GENERAL_EQUIPMENT, m.CR_SERIES, *_IMAGE, m.VOI_LUT),
        pixel_kinds=frozenset({"gray8", "gray16"}),
        photometric_interpretations=_GRAY,
        monochrome1=True,
        spacing=_AT_THE_DETECTOR,
    ),
    IOD(
        alias="US",
        keyword="UltrasoundImageStorage",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.6.1",
        section="A.6",
        modalities=("US", "IVUS", "BDUS"),
        modules=(*_COMMON, m.GENERAL_EQUIPMENT, *_IMAGE, m.US_IMAGE, m.VOI_LUT, m.ICC_PROFILE),
        pixel_kinds=frozenset({"gray8", "rgb8"}),
        photometric_interpretations=_GRAY_YBR,
    ),
    _vl("XC", "VLPhotographicImageStorage", "4", "A.32.4"),
    _vl("ES", "VLEndoscopicImageStorage", "1", "A.32.1"),
    _vl("GM", "VLMicroscopicImageStorage", "2", "A.32.2"),
    _sc_multi_frame(
        "SC-BYTE", "MultiFrameGrayscaleByteSecondaryCaptureImageStorage", "2", {"gray8"}, (mf.SC_MULTI_FRAME_GRAY,)
    ),
    _sc_multi_frame(
        "SC-WORD", "MultiFrameGrayscaleWordSecondaryCaptureImageStorage", "3", {"gray16"}, (mf.SC_MULTI_FRAME_GRAY,)
    ),
    _sc_multi_frame("SC-COLOR", "MultiFrameTrueColorSecondaryCaptureImageStorage", "4", {"rgb8"}, ()),
    _projection("DX", "DigitalXRayImageStorageForPresentation", "1", (x.DX_POSITIONING,), ()),
    _projection(
        "MG",
        "DigitalMammographyXRayImageStorageForPresentation",
        "2",
        (x.MAMMOGRAPHY_IMAGE,),
        (
            ("PositionerType", "MAMMOGRAPHIC or NONE (PS3.3 C.8.11.7)"),
            ("ViewCodeSequence", "the view, such as 399162004^SCT^cranio-caudal (PS3.3 C.8.11.7)"),
        ),
    ),
    _projection(
        "IO",
        "DigitalIntraOralXRayImageStorageForPresentation",
        "3",
        (x.INTRA_ORAL_IMAGE,),
        (
            ("PositionerType", "CEPHALOSTAT, RIGID or NONE (PS3.3 C.8.11.9)"),
            ("AnatomicRegionSequence", "the region, such as 661005^SCT^Jaw region (PS3.3 C.8.11.9)"),
            ("PrimaryAnatomicStructureSequence", "what is shown, such as 39481002^SCT^Tooth (PS3.3 C.8.11.9)"),
        ),
    ),
    _slices(
        "CT",
        "CTImageStorage",
        "2",
        cs.CT_IMAGE,
        (
            ("RescaleIntercept", "what to add for Hounsfield units (PS3.3 C.8.2.1)"),
            ("RescaleSlope", "what to multiply with for Hounsfield units (PS3.3 C.8.2.1)"),
        ),
    ),
    _slices(
        "MR",
        "MRImageStorage",
        "4",
        cs.MR_IMAGE,
        (
            ("ScanningSequence", "SE, IR, GR, EP or RM (PS3.3 C.8.3.1)"),
            ("SequenceVariant", "SK, MTC, SS, TRSS, SP, MP, OSP or NONE (PS3.3 C.8.3.1)"),
        ),
    ),
    _ophthalmic("OP8", "OphthalmicPhotography8BitImageStorage", "1", {"gray8", "rgb8"}),
    _ophthalmic("OP16", "OphthalmicPhotography16BitImageStorage", "2", {"gray16"}),
    _vl(
        "SM",
        "VLSlideCoordinatesMicroscopicImageStorage",
        "3",
        "A.32.3",
        modules=(cs.FRAME_OF_REFERENCE, vl.SPECIMEN, vl.SLIDE_COORDINATES),
        required=(
            ("ContainerIdentifier", "what is written on the slide (PS3.3 C.7.6.22)"),
            ("SpecimenIdentifier", "the specimen on it (PS3.3 C.7.6.22)"),
            ("SpecimenUID", "the specimen's UID (PS3.3 C.7.6.22)"),
        ),
        frame_of_reference="FrameOfReferenceUID",
    ),
    _vl(
        "DERM",
        "DermoscopicPhotographyImageStorage",
        "7",
        "A.32.11",
        modalities=("DMS",),
        modules=(vl.DERMOSCOPIC_IMAGE,),
        required=(
            ("Manufacturer", "who made the camera (PS3.3 C.7.5.2)"),
            ("ManufacturerModelName", "its model (PS3.3 C.7.5.2)"),
            ("DeviceSerialNumber", "its serial number (PS3.3 C.7.5.2)"),
            ("SoftwareVersions", "its software (PS3.3 C.7.5.2)"),
            ("RecognizableVisualFeatures", "YES or NO: whether the person can be recognized (PS3.3 C.7.6.1)"),
        ),
    ),
)

# Classes that exist, and that no PNG or JPEG can honestly be.
REFUSED: dict[str, str] = dict.fromkeys(
    (
        "DigitalXRayImageStorageForProcessing",
        "1.2.840.10008.5.1.4.1.1.1.1.1",
        "DigitalMammographyXRayImageStorageForProcessing",
        "1.2.840.10008.5.1.4.1.1.1.2.1",
        "DigitalIntraOralXRayImageStorageForProcessing",
        "1.2.840.10008.5.1.4.1.1.1.3.1",
    ),
    "its pixels are to be processed for display, and those of a PNG or JPEG have been (PS3.3 C.8.11.1)",
)

BY_UID: dict[str, IOD] = {iod.sop_class_uid: iod for iod in IODS}
BY_NAME: dict[str, IOD] = {name: iod for iod in IODS for name in (iod.alias, iod.keyword, iod.sop_class_uid)}
