"""Modules of the projection X-ray classes: Digital X-Ray, Mammography and Intra-oral, for presentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.attributes import body_parts
from bulkdcm.attributes.terms import LIGHT_IS_LOW
from bulkdcm.iods.modules import put
from bulkdcm.model import Module

if TYPE_CHECKING:
    from bulkdcm.elements import Elements
    from bulkdcm.model import Frame, ManifestRow


def region_of_body_part(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    """Put the code of BodyPartExamined (PS3.16 annex L) into an AnatomicRegionSequence that the row leaves empty."""
    del frame
    part = body_parts.table().get(row.attributes.get("BodyPartExamined", ""))
    if part and not row.attributes.get("AnatomicRegionSequence"):
        put(dataset, "AnatomicRegionSequence", f"{part.code}^{part.scheme}^{part.meaning}")


def _shown(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    if frame.photometric_interpretation == LIGHT_IS_LOW:
        put(dataset, "PresentationLUTShape", "INVERSE")  # of MONOCHROME1 only, and always (PS3.3 C.8.11.3)
    if "WindowCenter" in row.attributes or "WindowWidth" in row.attributes:
        return
    # The window that shows every value as it is (PS3.3 C.11.2.1.2): a PNG or JPEG is what was meant to be seen.
    put(dataset, "WindowCenter", str(2 ** (frame.bits_stored - 1)))
    put(dataset, "WindowWidth", str(2**frame.bits_stored))


def _view_modifiers(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    del row, frame
    for item in dataset.value("ViewCodeSequence") or ():
        if "ViewModifierCodeSequence" not in item:
            put(item, "ViewModifierCodeSequence", "")


# Rescaling to itself: the stored values are what is to be seen.
IDENTITY_RESCALE = (("RescaleIntercept", "0"), ("RescaleSlope", "1"), ("RescaleType", "US"))

DX_SERIES = Module(name="DX Series", section="C.8.11.1", defaults=(("PresentationIntentType", "FOR PRESENTATION"),))
DX_ANATOMY_IMAGED = Module(
    name="DX Anatomy Imaged", section="C.8.11.2", empty=("AnatomicRegionSequence",), fill=region_of_body_part
)
DX_IMAGE = Module(
    name="DX Image",
    section="C.8.11.3",
    defaults=(*IDENTITY_RESCALE, ("PresentationLUTShape", "IDENTITY")),
    fill=_shown,
)
DX_DETECTOR = Module(name="DX Detector", section="C.8.11.4", empty=("DetectorType",))
DX_POSITIONING = Module(name="DX Positioning", section="C.8.11.5", empty=("PositionerType",))
MAMMOGRAPHY_IMAGE = Module(
    name="Mammography Image",
    section="C.8.11.7",
    defaults=(("OrganExposed", "BREAST"), ("AnatomicRegionSequence", "76752008^SCT^Breast")),
    fill=_view_modifiers,
)
INTRA_ORAL_IMAGE = Module(name="Intra-Oral Image", section="C.8.11.9")
