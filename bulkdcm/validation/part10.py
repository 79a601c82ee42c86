"""The file around the dataset: preamble, meta information, and whether it speaks of the dataset that follows (PS3.10 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm import dicom_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

_META_END_TAG = b"\x02\x00\x00\x00UL\x04\x00"
_GROUP_LENGTH_END = 144
_REQUIRED = ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID")
_SAME = (("MediaStorageSOPClassUID", "SOPClassUID"), ("MediaStorageSOPInstanceUID", "SOPInstanceUID"))


def check_bytes(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the file's beginning: (where, rule)."""
    if data[128:132] != b"DICM":
        yield "preamble", "a DICOM file begins with 128 bytes and DICM (PS3.10 7.1)"
        return
    if data[132:140] != _META_END_TAG:
        yield "(0002,0000)", "the meta information begins with its group length (PS3.10 7.1)"
        return
    length = int.from_bytes(data[140:_GROUP_LENGTH_END], "little")
    end, _ = dicom_file.meta_of(data)
    if _GROUP_LENGTH_END + length != end:
        yield (
            "(0002,0000)",
            f"the group length says {length}, the group has {end - _GROUP_LENGTH_END} bytes (PS3.10 7.1)",
        )


def check_meta(dataset: FileDataset) -> Iterator[tuple[str, str]]:
    """Yield what is missing in the meta information, or is not what the dataset says."""
    meta = dataset.file_meta
    for keyword in _REQUIRED:
        if not meta.get(keyword):
            yield keyword, "the meta information must have it (PS3.10 7.1)"
        elif not isinstance(meta.get(keyword), str | bytes):
            yield keyword, "the meta information must have it once (PS3.10 7.1)"
    for of_meta, of_dataset in _SAME:
        if meta.get(of_meta) and dataset.get(of_dataset) and meta.get(of_meta) != dataset.get(of_dataset):
            yield (
                of_meta,
                f"{meta.get(of_meta)} is not the dataset's {of_dataset}, {dataset.get(of_dataset)} (PS3.10 7.1)",
            )
