"""Row, frame and UIDs to a dataset."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement
from pydicom.uid import OphthalmicPhotography8BitImageStorage, OphthalmicPhotography16BitImageStorage

from bulkdcm.attributes import conditions, dictionary, values
from bulkdcm.attributes.condition_tables import FRAME_OF_REFERENCE
from bulkdcm.elements import Elements
from bulkdcm.errors import AttributeValueError, PixelError
from bulkdcm.iods.registry import BY_UID

if TYPE_CHECKING:
    from bulkdcm.model import IOD, Frame, InstanceUIDs, ManifestRow

# Where Lossy Image Compression Method is 1C, and Presentation LUT Shape is of MONOCHROME2 only (PS3.3 C.8.17.2).
_OPHTHALMIC = frozenset({OphthalmicPhotography8BitImageStorage, OphthalmicPhotography16BitImageStorage})
_KIND_WORDS = {"gray8": "8-bit gray", "gray16": "16-bit gray", "rgb8": "8-bit colour", "rgb16": "16-bit colour"}


def check_frame(iod: IOD, row: ManifestRow, frame: Frame) -> None:
    """Refuse pixels that the SOP class can't hold, or whose history is not what the row says.

    Raises
    ------
    PixelError
        With the kinds it does hold.
    AttributeValueError
        Where a lossy source is said to be none.
    """
    if frame.lossy and row.attributes.get("LossyImageCompression") == "00":
        msg = (
            f"{row.source}: LossyImageCompression '00' contradicts the source, which is a lossy stream "
            "(PS3.3 C.7.6.1.1.5). Write 01; ratio and method follow by themselves."
        )
        raise AttributeValueError(msg)
    if not frame.lossy and row.attributes.get("LossyImageCompression") == "01":
        _check_lossy_history(row)
    if frame.samples_per_pixel > 1 and "PresentationLUTShape" in row.attributes and iod.sop_class_uid in _OPHTHALMIC:
        msg = (
            f"{row.source}: PresentationLUTShape is for MONOCHROME2, and the image is in colour (PS3.3 C.8.17.2). "
            "Leave it out; it follows by itself."
        )
        raise AttributeValueError(msg)
    if frame.kind in iod.pixel_kinds:
        return
    takes = ", ".join(_KIND_WORDS[kind] for kind in _KIND_WORDS if kind in iod.pixel_kinds)
    msg = (
        f"{row.source}: {_KIND_WORDS[frame.kind]} pixels can't be {iod.keyword}, which takes {takes} (PS3.3 {iod.section}). "
        "Give the row another sop_class: SecondaryCaptureImageStorage takes them all."
    )
    raise PixelError(msg)


def _check_lossy_history(row: ManifestRow) -> None:
    """Refuse a lossy history that neither the row nor its source, which is no lossy stream, tells."""
    missing = [
        keyword
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
        if keyword not in row.attributes and (keyword.endswith("Ratio") or row.sop_class_uid in _OPHTHALMIC)
    ]
    if missing:
        msg = (
            f"{row.source}: LossyImageCompression '01' needs {' and '.join(missing)} if the source is no lossy stream "
            "(PS3.3 C.7.6.1.1.5). Add what is known of the compression, or leave LossyImageCompression empty."
        )
        raise AttributeValueError(msg)


def build(row: ManifestRow, frame: Frame, uids: InstanceUIDs) -> Elements:
    """Return the elements of one instance, without its Pixel Data.

    Parameters
    ----------
    row
        Its attributes have passed the preflight.
    frame
        Pixels that the SOP class holds (see `check_frame`).
    uids
        Of this instance.

    Raises
    ------
    AttributeValueError
        Where a value breaks a rule, or contradicts the image.
    """
    iod = BY_UID[row.sop_class_uid]
    dataset = Elements(_of_every_row(iod))
    for keyword, text in row.attributes.items():
        dataset.add(values.element(keyword, text))
    for keyword, text in conditions.filled(row.attributes, row.sop_class_uid):
        if dictionary.tag_of(keyword) not in dataset:
            known = uids.frame_of_reference_uid if text == FRAME_OF_REFERENCE else text
            dataset.add(values.element(keyword, known))
    for module in iod.modules:
        if module.fill:
            module.fill(dataset, row, frame)
    if iod.frame_of_reference and iod.frame_of_reference not in row.attributes:
        dataset.add(values.element(iod.frame_of_reference, uids.frame_of_reference_uid))
    for tag, uid in (
        (0x00080016, row.sop_class_uid),
        (0x00080018, uids.sop_instance_uid),
        (0x0020000D, uids.study_instance_uid),
        (0x0020000E, uids.series_instance_uid),
    ):
        dataset.add(_uid(tag, uid))
    return dataset


@cache
def _of_every_row(iod: IOD) -> Elements:
    """Return what the modules put in every object of a class where neither row nor image says more."""
    dataset = Elements()
    for module in iod.modules:
        for keyword in module.empty:
            dataset.add(values.element(keyword, ""))
        for keyword, text in module.defaults:
            dataset.add(values.element(keyword, text))
    return dataset


@lru_cache(maxsize=4096)
def _uid(tag: int, uid: str) -> DataElement:
    return DataElement(tag, "UI", uid, validation_mode=0)
