"""The SOP Classes, one declaration each. A new one is an entry here (and, where it has its own, a module beside)."""

from __future__ import annotations

from bulkdcm.iods import modules as m
from bulkdcm.model import IOD

_COMMON = (m.SOP_COMMON, m.PATIENT, m.GENERAL_STUDY, m.GENERAL_SERIES)
_IMAGE = (m.GENERAL_IMAGE, m.IMAGE_PIXEL)
_VL = (*_COMMON, m.GENERAL_EQUIPMENT, *_IMAGE, m.ACQUISITION_CONTEXT, m.VL_IMAGE, m.ICC_PROFILE)
_GRAY = frozenset({"MONOCHROME2"})
# PS3.5 8.2.1: a colour JPEG stream is YBR_FULL_422 or, where it holds RGB, RGB.
_GRAY_YBR = _GRAY | {"YBR_FULL_422"}


def _vl(alias: str, keyword: str, suffix: str, section: str) -> IOD:
    return IOD(
        alias=alias,
        keyword=keyword,
        sop_class_uid=f"1.2.840.10008.5.1.4.1.1.77.1.{suffix}",
        section=section,
        modalities=(alias,),
        modules=_VL,
        pixel_kinds=frozenset({"gray8", "rgb8"}),
        photometric_interpretations=_GRAY_YBR,
    )


DEFAULT = "SecondaryCaptureImageStorage"

IODS: tuple[IOD, ...] = (
    IOD(
        alias="SC",
        keyword=DEFAULT,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
        section="A.8.1",
        modalities=(),
        modules=(*_COMMON, m.SC_EQUIPMENT, *_IMAGE, m.ICC_PROFILE),
        pixel_kinds=frozenset({"gray8", "gray16", "rgb8", "rgb16"}),
        photometric_interpretations=_GRAY_YBR | {"RGB"},
    ),
    IOD(
        alias="CR",
        keyword="ComputedRadiographyImageStorage",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        section="A.2",
        modalities=("CR", "DX", "MG", "PX", "IO", "RG"),
        modules=(*_COMMON, m.GENERAL_EQUIPMENT, m.CR_SERIES, *_IMAGE),
        pixel_kinds=frozenset({"gray8", "gray16"}),
        photometric_interpretations=_GRAY,
    ),
    IOD(
        alias="US",
        keyword="UltrasoundImageStorage",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.6.1",
        section="A.6",
        modalities=("US", "IVUS", "BDUS"),
        modules=(*_COMMON, m.GENERAL_EQUIPMENT, *_IMAGE, m.US_IMAGE, m.ICC_PROFILE),
        pixel_kinds=frozenset({"gray8", "rgb8"}),
        photometric_interpretations=_GRAY_YBR,
    ),
    _vl("XC", "VLPhotographicImageStorage", "4", "A.32.4"),
    _vl("ES", "VLEndoscopicImageStorage", "1", "A.32.1"),
    _vl("GM", "VLMicroscopicImageStorage", "2", "A.32.2"),
)

BY_UID: dict[str, IOD] = {iod.sop_class_uid: iod for iod in IODS}
BY_NAME: dict[str, IOD] = {name: iod for iod in IODS for name in (iod.alias, iod.keyword, iod.sop_class_uid)}
