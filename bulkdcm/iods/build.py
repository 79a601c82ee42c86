"""Row, frame and UIDs to a dataset."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.dataelem import DataElement
from pydicom.uid import OphthalmicPhotography8BitImageStorage, OphthalmicPhotography16BitImageStorage

from bulkdcm.attributes import conditions, dictionary, values
from bulkdcm.attributes.condition_tables import FRAME_OF_REFERENCE
from bulkdcm.elements import Elements
from bulkdcm.errors import AttributeValueError, PixelError
from bulkdcm.iods.meaning import derivation
from bulkdcm.iods.modules import put
from bulkdcm.iods.registry import BY_UID

if TYPE_CHECKING:
    from bulkdcm.model import IOD, Frame, InstanceUIDs, ManifestRow, Module

# Where Lossy Image Compression Method is 1C, and Presentation LUT Shape is of MONOCHROME2 only (PS3.3 C.8.17.2).
_OPHTHALMIC = frozenset({OphthalmicPhotography8BitImageStorage, OphthalmicPhotography16BitImageStorage})
# What names an object, its patient and study, and differs from one to the next.
_NAMING = frozenset(
    {
        "AccessionNumber", "InstanceNumber", "PatientAge", "PatientBirthDate", "PatientID", "PatientSex", "SeriesNumber",
        "StudyDate", "StudyDescription", "StudyID", "StudyTime",
    }
)  # fmt: skip
_KIND_WORDS = {"gray8": "8-bit gray", "gray16": "16-bit gray", "rgb8": "8-bit colour", "rgb16": "16-bit colour"}


def check_frame(iod: IOD, row: ManifestRow, frame: Frame) -> None:
    """Refuse pixels that the SOP class can't hold, or whose history is not what the row says.

    Raises
    ------
    PixelError
        With the kinds it does hold.
    AttributeValueError
        If a lossy source is said to be none.
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
        If a value breaks a rule, or contradicts the image.
    """
    iod = BY_UID[row.sop_class_uid]
    own = _own_attributes()
    shared = tuple([item for item in row.attributes.items() if item[0] not in own])
    key = (
        iod.sop_class_uid, shared, frame.rows, frame.columns, frame.samples_per_pixel, frame.bits_stored,
        frame.photometric_interpretation, frame.number_of_frames, tuple([lossy.method for lossy in frame.lossy]), frame.icc_profile,
    )  # fmt: skip
    known = _alike.get(key)
    if known is None:
        known = _common(iod, row, frame)
        if len(_alike) >= _MOST_ALIKE:
            _alike.clear()
        if not any(element.VR == "SQ" and element.value for element in known.elements.values()):  # see `values.element`
            _alike[key] = known
    dataset = Elements(known.elements)
    for keyword, text in row.attributes.items():
        if keyword in own:
            dataset.add(values.element(keyword, text))
    for module in known.varying:
        module.fill(dataset, row, frame)  # type: ignore[misc]  # only such that have one are there
    for keyword in known.of_the_frame_of_reference:
        dataset.add(values.element(keyword, uids.frame_of_reference_uid))
    if frame.derivations:
        put(dataset, "DerivationDescription", derivation(row, frame))
    if frame.aspect_ratio:
        put(dataset, "PixelAspectRatio", "{}\\{}".format(*frame.aspect_ratio))
    if frame.window:
        put(dataset, "WindowCenter", frame.window.center)
        put(dataset, "WindowWidth", frame.window.width)
    for tag, uid in (
        (0x00080016, row.sop_class_uid),
        (0x00080018, uids.sop_instance_uid),
        (0x0020000D, uids.study_instance_uid),
        (0x0020000E, uids.series_instance_uid),
    ):
        dataset[tag] = _uid(tag, uid)
    return dataset


class _Common(NamedTuple):
    """What objects have in common that are alike in all but their pixels, their UIDs and what names them."""

    elements: Elements
    varying: tuple[Module, ...]
    of_the_frame_of_reference: tuple[str, ...]


# By what they have in common.
_alike: dict[tuple[object, ...], _Common] = {}
_MOST_ALIKE = 1024


def _common(iod: IOD, row: ManifestRow, frame: Frame) -> _Common:
    """Return what a row's object has in common with others."""
    dataset = Elements(_of_every_row(iod))
    for keyword, text in row.attributes.items():
        dataset.add(values.element(keyword, text))
    by_uid = []
    for keyword, text in conditions.filled(row.attributes, row.sop_class_uid):
        if dictionary.tag_of(keyword) in dataset:
            continue
        if text == FRAME_OF_REFERENCE:
            by_uid.append(keyword)
        else:
            dataset.add(values.element(keyword, text))
    for module in iod.modules:
        if module.fill:
            module.fill(dataset, row, frame)
    if iod.frame_of_reference and iod.frame_of_reference not in row.attributes:
        by_uid.append(iod.frame_of_reference)
    for keyword in _own_attributes() & row.attributes.keys():
        known = _of_every_row(iod).get(dictionary.tag_of(keyword))
        del dataset[dictionary.tag_of(keyword)]
        if known is not None:
            dataset.add(known)
    varying = tuple(module for module in iod.modules if module.fill and module.varies)
    return _Common(dataset, varying, tuple(by_uid))


@cache
def _own_attributes() -> frozenset[str]:
    """Return attributes that nothing else in an object follows from: no module's `fill` looks at one (a test holds it)."""
    return _NAMING - conditions.involved()


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
