"""Data sets that are alike in all that modules and conditions look at: what was found in one holds for the others.

Files of one run differ in what names them and in their pixels, so that a million of them are a few kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.dataelem import RawDataElement

from bulkdcm.attributes import dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydicom.dataset import Dataset

    Found = tuple[tuple[str, str], ...]

# Of these only matters whether they are there, and how many values they have (a test holds it).
NAMING = frozenset(
    {
        "AccessionNumber", "FrameOfReferenceUID", "InstanceNumber", "LossyImageCompressionRatio", "PatientBirthDate", "PatientID",
        "PatientName", "PixelData", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "StudyDate", "StudyID",
        "StudyInstanceUID", "StudyTime",
    }
)  # fmt: skip
_TAGS = frozenset(dictionary.tag_of(keyword) for keyword in NAMING)
_PIXEL_DATA = dictionary.tag_of("PixelData")
_MOST = 4096
_known: dict[object, Found] = {}


def key_of(dataset: Dataset) -> object:
    """Return what data sets that are alike have in common; to be called before any element was asked for."""
    return tuple((int(tag), _of(int(tag), dataset.get_item(tag))) for tag in dataset.keys())  # noqa: SIM118  # values stay bytes


def _of(tag: int, element: Any) -> object:
    if not isinstance(element, RawDataElement):
        return str(element)
    value = element.value or b""
    if tag in _TAGS:
        return (
            element.VR,
            bool(value.strip(b" \0")) if tag != _PIXEL_DATA else bool(value),
            tag != _PIXEL_DATA and value.count(b"\\"),
        )
    return element.VR, value


def told(key: object, find: Callable[[], Iterable[tuple[str, str]]]) -> Found:
    """Return what was found in a data set that is alike, else what `find` finds."""
    found = _known.get(key)
    if found is None:
        found = tuple(find())
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = found
    return found
