"""Encapsulated pixels: the items, the offset table, and each frame's stream against the dataset (PS3.5 A.4, 8.2)."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from bulkdcm.errors import PixelError
from bulkdcm.images import jpeg_stream
from bulkdcm.validation import decoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydicom.dataset import Dataset

    from bulkdcm.validation.pixels import Shape

    Found = Iterator[tuple[str, str]]

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
# Processes and precisions of a JPEG stream by transfer syntax (PS3.5 A.4.1).
_JPEG = {
    "1.2.840.10008.1.2.4.50": ({0}, {8}),
    "1.2.840.10008.1.2.4.51": ({0, 1}, {8, 12}),
    "1.2.840.10008.1.2.4.57": ({3}, set(range(2, 17))),
    "1.2.840.10008.1.2.4.70": ({3}, set(range(2, 17))),
}
_SV1 = "1.2.840.10008.1.2.4.70"
_RGB_IDS = tuple(b"RGB")
_RLE_HEADER = 64


def check_encapsulated(dataset: Dataset, transfer_syntax_uid: str, shape: Shape, max_pixels: int) -> Found:
    """Yield what is wrong with compressed pixels: (where, rule).

    Parameters
    ----------
    dataset, transfer_syntax_uid, shape
        The pixels, and what is said of them.
    max_pixels
        That a frame may have to be decoded.
    """
    data = dataset.PixelData
    items, problem = _items(data)
    if problem:
        yield "PixelData", problem
        return
    (_, table), *fragments = items
    yield from _check_table(table, fragments, shape.frames)
    if len(fragments) != shape.frames:
        if shape.frames == 1:
            fragments = [(fragments[0][0], b"".join(fragment for _, fragment in fragments))] if fragments else []
        else:
            yield (
                "PixelData",
                f"{len(fragments)} fragments for {shape.frames} frames; one a frame is written (PS3.5 A.4)",
            )
            return
    check = _checker(transfer_syntax_uid)
    pixels, most = shape.rows * shape.columns, decoding.budget(len(data), max_pixels)
    if check and (pixels > max_pixels or pixels * shape.frames > most):
        yield "PixelData", f"not decoded: {pixels * shape.frames} pixels are more than --max-pixels {max_pixels} allows"
        most = 0
    for number, (_, stream) in enumerate(fragments, start=1):
        wrong = list(check(stream, transfer_syntax_uid, shape)) if check else []
        if check and most and not wrong:
            wrong = list(decoding.check_stream(stream, transfer_syntax_uid, shape))
        yield from ((f"PixelData, frame {number}", rule) for rule in wrong)


def _items(data: bytes) -> tuple[list[tuple[int, bytes]], str]:
    """Return (offset from the first fragment's item, bytes) of each item, the first being the offset table."""
    found: list[tuple[int, bytes]] = []
    position, first = 0, 0
    while position < len(data):
        tag, length = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if tag == _END:
            break
        if tag != _ITEM or position + 8 + length > len(data):
            return [], f"byte {position} should begin a whole item (PS3.5 A.4)"
        if length % 2:
            return [], f"the item at byte {position} has an odd length (PS3.5 A.4)"
        found.append((position - first, data[position + 8 : position + 8 + length]))
        position += 8 + length
        if len(found) == 1:
            first = position
    return (found, "") if len(found) > 1 else ([], "no fragment after the offset table (PS3.5 A.4)")


def _check_table(table: bytes, fragments: list[tuple[int, bytes]], frames: int) -> Found:
    if not table:
        return
    offsets = list(struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4]))
    starts = [offset for offset, _ in fragments]
    if len(offsets) != frames or any(offset not in starts for offset in offsets):
        yield "PixelData", f"the Basic Offset Table {offsets[:4]} doesn't name the frames' first fragments (PS3.5 A.4)"


def _checker(uid: str) -> Callable[[bytes, str, Shape], Iterator[str]] | None:
    if uid in _JPEG:
        return _check_jpeg
    if uid == "1.2.840.10008.1.2.5":
        return _check_rle
    if uid in {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}:
        return _check_jpeg_ls
    if uid in {f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203)}:
        return _check_j2k
    return None


def _check_jpeg(data: bytes, uid: str, shape: Shape) -> Iterator[str]:
    try:
        stream = jpeg_stream.parse(data, "the stream")
    except PixelError as error:
        yield str(error)
        return
    processes, precisions = _JPEG[uid]
    if stream.process not in processes:
        yield f"SOF{stream.process} is no process of {uid} (PS3.5 A.4.1)"
    elif uid == _SV1 and stream.predictor != 1:
        yield f"predictor {stream.predictor}; {uid} is for 1 (PS3.5 A.4.1)"
    if stream.precision not in precisions or stream.precision != shape.bits_stored:
        yield f"{stream.precision} bits in the stream, {shape.bits_stored} stored (PS3.5 A.4.1)"
    yield from _check_size(shape, stream.rows, stream.columns, len(stream.component_ids))
    if stream.trailing_bytes > 1 or (stream.trailing_bytes and data[-1:] != b"\0"):
        yield f"{stream.trailing_bytes} bytes after its end (PS3.5 A.4)"
    if missing := set(stream.component_ids) - stream.scanned:
        yield f"no scan of component {min(missing)} (ITU-T T.81 B.2)"
    if stream.exif:
        yield "EXIF in the stream, which may say who and where (PS3.15 E)"
    if len(stream.component_ids) == 3 and stream.process != 3:
        says_rgb = stream.adobe_transform == 0 or (stream.adobe_transform < 0 and stream.component_ids == _RGB_IDS)
        expected = "RGB" if says_rgb and not stream.jfif else "YBR_FULL_422"
        if shape.photometric_interpretation != expected:
            yield f"its colour is {expected}, the dataset says {shape.photometric_interpretation} (PS3.5 8.2.1)"


def _check_size(shape: Shape, rows: int, columns: int, samples: int) -> Iterator[str]:
    if (rows, columns) != (shape.rows, shape.columns):
        yield f"{columns} x {rows} in the stream, Columns x Rows are {shape.columns} x {shape.rows} (PS3.5 8.2)"
    if samples != shape.samples:
        yield f"{samples} components in the stream, SamplesPerPixel is {shape.samples} (PS3.5 8.2)"


def _check_jpeg_ls(data: bytes, uid: str, shape: Shape) -> Iterator[str]:
    del uid
    at = data.find(b"\xff\xf7")
    if not data.startswith(b"\xff\xd8") or at < 0:
        yield "no JPEG-LS stream (PS3.5 8.2.3)"
        return
    precision, rows, columns, samples = struct.unpack(">BHHB", data[at + 4 : at + 10])
    if precision != shape.bits_stored:
        yield f"{precision} bits in the stream, {shape.bits_stored} stored (PS3.5 8.2.3)"
    yield from _check_size(shape, rows, columns, samples)
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        yield "cut off before its end (PS3.5 8.2.3)"


def _check_j2k(data: bytes, uid: str, shape: Shape) -> Iterator[str]:
    del uid
    if not data.startswith(b"\xff\x4f\xff\x51"):
        yield "no JPEG 2000 codestream (PS3.5 8.2.4)"
        return
    right, bottom, left, top = struct.unpack(">4I", data[8:24])
    samples, bits = int.from_bytes(data[40:42], "big"), data[42] % 128 + 1
    if bits != shape.bits_stored:
        yield f"{bits} bits in the stream, {shape.bits_stored} stored (PS3.5 8.2.4)"
    yield from _check_size(shape, bottom - top, right - left, samples)
    transformed = samples == 3 and data[data.index(b"\xff\x52") + 8]
    expected = "YBR_RCT" if transformed else ("RGB" if samples == 3 else shape.photometric_interpretation)
    if shape.photometric_interpretation not in {expected, "YBR_ICT"}:
        yield f"its colour is {expected}, the dataset says {shape.photometric_interpretation} (PS3.5 8.2.4)"
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        yield "cut off before its end (PS3.5 8.2.4)"


def _check_rle(data: bytes, uid: str, shape: Shape) -> Iterator[str]:
    del uid
    count, *offsets = struct.unpack("<16I", data[:_RLE_HEADER].ljust(_RLE_HEADER, b"\0"))
    expected = shape.samples * shape.bits_allocated // 8
    if count != expected:
        yield f"{count} segments, {expected} follow from the samples and their bytes (PS3.5 G.2)"
        return
    bounds = [*offsets[:count], len(data)]
    if bounds[0] != _RLE_HEADER or sorted(bounds) != bounds:
        yield f"the segments' offsets {offsets[:count]} aren't in order in it (PS3.5 G.5)"
        return
    for number, (start, end) in enumerate(pairwise(bounds), start=1):
        if (size := _unpacked(data[start:end])) < shape.rows * shape.columns:
            yield f"segment {number} unpacks to {size} of {shape.rows * shape.columns} bytes (PS3.5 G.3)"


def _unpacked(segment: bytes) -> int:
    """Return how many bytes a segment unpacks to (PS3.5 G.3.2)."""
    position, size = 0, 0
    while position < len(segment) - 1:
        control = segment[position]
        if control < 128:
            size += control + 1
            position += control + 2
        else:
            size += 257 - control if control > 128 else 0
            position += 2 if control > 128 else 1
    return size
