"""A re-stamped file beside the DICOM file that it was made from: all that the row doesn't give is as it was."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag

from bulkdcm.proof.kinds import CONTENT, PIXELS, Found

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from pydicom.dataset import Dataset, FileDataset

    from bulkdcm.model import ManifestRow

# Written anew in every file: character set, UIDs, and where it comes from.
_OWN = frozenset({0x00080005, 0x00080018, 0x0020000D, 0x0020000E, 0x00082112, 0x00082111})
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_GROUP_LENGTH = 0x0000


def differing(row: ManifestRow, source: bytes, dataset: FileDataset, by: Counter[str]) -> Iterator[Found]:
    """Yield what is neither the row's nor the source's.

    Parameters
    ----------
    row
        Of the manifest.
    source
        The DICOM file that was re-stamped.
    dataset
        The new one.
    by
        Counts what decided.
    """
    before = dcmread(io.BytesIO(source), force=False)
    if before.file_meta.TransferSyntaxUID != dataset.file_meta.TransferSyntaxUID:
        yield Found(PIXELS, "TransferSyntaxUID", "another than the source's")
        return
    if _pixels(before) != _pixels(dataset):
        yield Found(PIXELS, "PixelData", "other bytes than the source's")
    by["equal bytes of pixels (re-stamped)"] += 1
    given = row.attributes.keys()
    tags = (set(before.keys()) | set(dataset.keys())) - _OWN - _PIXELS
    for tag in sorted(tags):
        keyword = keyword_for_tag(tag)
        if keyword not in given and tag.element != _GROUP_LENGTH and _told(before, tag) != _told(dataset, tag):
            yield Found(CONTENT, keyword or str(tag), "neither the row gives it, nor is it as in the source")


def _pixels(dataset: Dataset) -> list[Any]:
    return [bytes(dataset[tag].value) if tag in dataset else None for tag in sorted(_PIXELS)]


def _told(dataset: Dataset, tag: Any) -> str:
    return str(dataset[tag]) if tag in dataset else ""
