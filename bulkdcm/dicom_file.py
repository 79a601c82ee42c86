"""A DICOM file's bytes to its data set. A deflated one is inflated no further than its own pixels explain."""

from __future__ import annotations

import io
import re
import zlib
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.uid import UID

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

META = 132  # a preamble and DICM
EXPLICIT = "1.2.840.10008.1.2.1"
_DEFLATED = b"1.2.840.10008.1.2.1.99"  # the JPIP ones have no pixels, and pydicom would write them back inflated
_META_GROUP, _TRANSFER_SYNTAX = b"\x02\x00", b"\x02\x00\x10\x00"
_LONG_FORMS = {b"OB", b"UN", b"OW"}
_FREE_BYTES = 2**22  # what a data set may have beside its pixels; pydicom needs up to a hundred times as much of memory
# Rows, Columns, Samples per Pixel and Bits Allocated; Number of Frames; in Explicit VR, as each deflated one is.
_OF_SIZE = tuple(
    re.compile(rb"\x28\x00" + element + rb"US\x02\x00(..)", re.DOTALL)
    for element in (rb"\x10\x00", rb"\x11\x00", rb"\x02\x00", rb"\x00\x01")
)
_FRAMES = re.compile(rb"\x28\x00\x08\x00IS.\x00 *([0-9]{1,12})")


class InflationError(ValueError):
    """A deflated data set that is cut off, or larger than it can be."""


def read(data: bytes, max_pixels: int, *, stop_before_pixels: bool = False) -> FileDataset:
    """Return the data set of a DICOM file.

    Parameters
    ----------
    data
        The file.
    max_pixels
        That a deflated one may have, all frames together.
    stop_before_pixels
        Leave its Pixel Data out.

    Raises
    ------
    InflationError
        Of a deflated file.
    """
    end, syntax = meta_of(data)
    start, _, uid = syntax
    if uid.rstrip(b"\0 ") != _DEFLATED:
        return dcmread(io.BytesIO(data), stop_before_pixels=stop_before_pixels)
    # As an explicit one it is not inflated by pydicom, which knows no limit.
    head = data[:start] + EXPLICIT.encode().ljust(len(uid), b"\0") + data[start + len(uid) : end]
    inflated = _inflated(head, data[end:], max_pixels)
    dataset = dcmread(io.BytesIO(head + inflated), stop_before_pixels=stop_before_pixels)
    dataset.file_meta.TransferSyntaxUID = UID(_DEFLATED.decode("ascii"))
    return dataset


def meta_of(data: bytes) -> tuple[int, tuple[int, int, bytes]]:
    """Return where the meta information ends; and where the Transfer Syntax UID begins and ends in it, and its bytes."""
    end, syntax = META, (0, 0, b"")
    while data[META - 4 : META] == b"DICM" and data[end : end + 2] == _META_GROUP:
        at, size = (end + 12, 4) if data[end + 4 : end + 6] in _LONG_FORMS else (end + 8, 2)
        after = at + int.from_bytes(data[at - size : at], "little")
        if data[end : end + 4] == _TRANSFER_SYNTAX:
            syntax = (at, after, data[at:after])
        end = after
    return end, syntax


def one_number(dataset: Dataset, keyword: str) -> int:
    """Return an attribute that is one whole number, 0 where it has no value.

    Raises
    ------
    ValueError
        If it is something else.
    """
    value = dataset.get(keyword)
    if value is None or value == "":
        return 0
    if not isinstance(value, int):
        msg = f"{keyword} is {str(value)[:40]!r}, not one whole number"
        raise ValueError(msg)  # noqa: TRY004  # the value's fault, not the caller's
    return int(value)


def _inflated(head: bytes, deflated: bytes, max_pixels: int) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(deflated, _FREE_BYTES)
        if not inflate.eof and inflate.unconsumed_tail:
            limit = _FREE_BYTES + _pixel_bytes(head + found, max_pixels)
            if limit > len(found):  # a maximum of 0 would be none
                found += inflate.decompress(inflate.unconsumed_tail, limit - len(found))
            if inflate.decompress(inflate.unconsumed_tail, 1):
                msg = (
                    f"deflated, it holds more than {limit} bytes, of which its pixels explain {limit - _FREE_BYTES}. "
                    "If that is what it should be, inflate it first (dcmconv +te)"
                )
                raise InflationError(msg)
    except zlib.error as error:
        msg = f"its deflated data set is damaged: {error}"
        raise InflationError(msg) from error
    if not inflate.eof:
        msg = "its deflated data set is cut off"
        raise InflationError(msg)
    return found


def _pixel_bytes(beginning: bytes, max_pixels: int) -> int:
    """Return how many bytes of pixels the beginning of a data set announces, at most.

    It is searched rather than read: reading is what a hostile one makes slow.
    """
    rows, columns, samples, bits = (
        max((int.from_bytes(value, "little") for value in pattern.findall(beginning)), default=0)
        for pattern in _OF_SIZE
    )
    frames = max((int(value) for value in _FRAMES.findall(beginning)), default=1) or 1
    if rows * columns * frames > max_pixels:
        msg = f"deflated, and {columns} x {rows} x {frames} pixels are more than --max-pixels {max_pixels}"
        raise InflationError(msg)
    return rows * columns * frames * max(samples, 1) * -(-bits // 8)
