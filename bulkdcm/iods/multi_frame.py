"""Modules of images with frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement

from bulkdcm.errors import AttributeValueError
from bulkdcm.iods.modules import put
from bulkdcm.iods.projection import IDENTITY_RESCALE
from bulkdcm.model import Module

if TYPE_CHECKING:
    from bulkdcm.elements import Elements
    from bulkdcm.model import Frame, ManifestRow

_PAGE_NUMBER_VECTOR, _FRAME_TIME = 0x00182001, 0x00181063


def _frames(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    count = max(1, frame.number_of_frames)
    put(dataset, "NumberOfFrames", str(count))
    if count > 1 and "FrameTime" in row.attributes:
        dataset.add(DataElement(0x00280009, "AT", _FRAME_TIME))
    elif count > 1:
        # Pages are all that is known of frames from files: no time lies between them.
        dataset.add(DataElement(0x00280009, "AT", _PAGE_NUMBER_VECTOR))
        put(dataset, "PageNumberVector", "\\".join(str(number) for number in range(1, count + 1)))


MULTI_FRAME = Module(name="Multi-frame", section="C.7.6.6", fill=_frames)
SC_MULTI_FRAME_GRAY = Module(
    name="SC Multi-frame Image", section="C.8.6.3", defaults=(*IDENTITY_RESCALE, ("PresentationLUTShape", "IDENTITY"))
)


def _cine(dataset: Elements, row: ManifestRow, frame: Frame) -> None:
    put(dataset, "NumberOfFrames", str(max(1, frame.number_of_frames)))
    # The Ophthalmic classes want the pointer beside a single frame too, between which and the next lies no time.
    dataset.add(DataElement(0x00280009, "AT", _FRAME_TIME))
    if "FrameTime" in row.attributes:
        return
    if frame.number_of_frames > 1:
        msg = f"{row.source}: {frame.number_of_frames} frames need FrameTime, the milliseconds between them (PS3.3 C.7.6.5)."
        raise AttributeValueError(msg)
    put(dataset, "FrameTime", "0")


CINE = Module(name="Cine", section="C.7.6.5", fill=_cine)
