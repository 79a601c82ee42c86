"""A TIFF's strips and tiles against its tags: libtiff fills what lacks, and passes over checksums and warnings of a JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm.errors import PixelError
from bulkdcm.images import jpeg_form, jpeg_stream, jpeg_strict
from bulkdcm.images.png_chunks import inflater

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH, LENGTH, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, SAMPLES = 256, 257, 258, 259, 262, 273, 277
ROWS_PER_STRIP, STRIP_COUNTS, PLANAR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = (
    278,
    279,
    284,
    322,
    323,
    324,
    325,
)
_JPEG_TABLES = 347
_NONE, _JPEG, _PACKBITS = 1, 7, 32773
_DEFLATES = {8, 32946}
_RGB, _YCC = 2, 6
_PIECE = 65_536


class _Part(NamedTuple):
    """One strip or tile: where it is, and how many bytes it decodes to."""

    offset: int
    coded_bytes: int
    size_bytes: int


def check(tags: Any, data: bytes, source: str) -> None:
    """Refuse pixels that aren't all there.

    Parameters
    ----------
    tags
        Of one directory, as Pillow has them.
    data
        The whole file.
    source
        For the message.

    Raises
    ------
    PixelError
        With the strip or tile, and what is wrong with it.
    """
    wrong = next(_problems(tags, data, source), "")
    if wrong:
        msg = f"{source}: the image can't be decoded: {wrong}. Fetch the file again."
        raise PixelError(msg)


def _problems(tags: Any, data: bytes, source: str) -> Iterator[str]:
    if PHOTOMETRIC not in tags:
        yield "the TIFF doesn't say whether it is gray or colour (PhotometricInterpretation)"
    needed, offsets, counts, size_bytes = _layout(tags)
    if len(offsets) < needed or (counts and len(counts) < needed):
        yield f"{min(len(offsets), len(counts) or needed)} of {needed} strips or tiles of the TIFF are there"
        return
    if not all(0 < offset < len(data) for offset in offsets):
        yield "strips or tiles of the TIFF are beyond its end"
    compression = tags.get(COMPRESSION, _NONE)
    for number in range(needed if counts else 0):
        part = _Part(offsets[number], counts[number], size_bytes[min(number, len(size_bytes) - 1)])
        if not part.coded_bytes or part.offset + part.coded_bytes > len(data):
            yield f"strip or tile {number + 1} of the TIFF is empty, or goes beyond its end"
        coded = memoryview(data)[part.offset : part.offset + part.coded_bytes]
        if wrong := _coded(compression, coded, part.size_bytes, size_bytes[0]):
            yield f"strip or tile {number + 1} of the TIFF {wrong}"
        if compression == _JPEG:
            _check_jpeg(tags, bytes(coded), f"{source}, strip or tile {number + 1}")


def _layout(tags: Any) -> tuple[int, tuple[int, ...], tuple[int, ...], list[int]]:
    """Return how many strips or tiles there should be, their offsets and counts, and their sizes (0: unknown; the last for all)."""
    columns, rows = tags[WIDTH], tags[LENGTH]  # Pillow's own are of the turned image
    split = tags.get(PLANAR, 1) == 2
    planes, samples = (tags.get(SAMPLES, 1), 1) if split else (1, tags.get(SAMPLES, 1))
    bits = samples * max(tags.get(BITS_PER_SAMPLE, (1,)), default=1)
    if tags.get(PHOTOMETRIC) == _YCC and tags.get(COMPRESSION) != _JPEG:
        bits = 0  # its chroma may be subsampled: the sizes aren't known
    if TILE_OFFSETS in tags:
        across, down = tags.get(TILE_WIDTH, 0) or 1, tags.get(TILE_LENGTH, 0) or 1
        needed = -(-columns // across) * -(-rows // down) * planes
        return needed, tags[TILE_OFFSETS], tags.get(TILE_COUNTS, ()), [down * ((across * bits + 7) // 8)]
    strip = min(tags.get(ROWS_PER_STRIP, rows), rows) or 1
    each = -(-rows // strip)
    line = (columns * bits + 7) // 8
    sizes = [strip * line] * (each - 1) + [(rows - strip * (each - 1)) * line]
    return each * planes, tags.get(STRIP_OFFSETS, ()), tags.get(STRIP_COUNTS, ()), sizes * planes


def _coded(compression: int, coded: memoryview, size_bytes: int, whole_bytes: int) -> str:
    """Return what is wrong with the bytes of a strip or tile, or an empty string; the last may be as long as a whole one."""
    found = size_bytes
    if compression == _NONE:
        found = len(coded)
    elif compression in _DEFLATES:
        inflate, found = inflater.decompressobj(), 0
        try:
            for at in range(0, len(coded), _PIECE):
                if not inflate.eof and found <= 2 * size_bytes + _PIECE:
                    found += len(inflate.decompress(coded[at : at + _PIECE]))
        except inflater.error:
            return "is damaged, or its checksum is wrong"
        if not inflate.eof:
            return "ends before its checksum, or never"
    elif compression == _PACKBITS:
        found = _unpacked(coded)
    too_many = compression != _NONE and found > max(size_bytes, whole_bytes)
    return f"has {found} of {size_bytes} bytes" if size_bytes and (found < size_bytes or too_many) else ""


def _unpacked(coded: memoryview) -> int:
    """Return how many bytes PackBits decodes to (TIFF 6.0 section 9); 0 where it ends within a run."""
    found = at = 0
    while at < len(coded):
        count = coded[at]
        if count < 128:
            at += 2 + count
            found += count + 1
        else:
            at += 1 if count == 128 else 2
            found += 0 if count == 128 else 257 - count
    return found if at == len(coded) else 0


def _check_jpeg(tags: Any, coded: bytes, source: str) -> None:
    """Refuse a JPEG in a TIFF (TIFF Technical Note 2) that a decoder complains of."""
    tables = bytes(tags.get(_JPEG_TABLES, b""))
    stream = jpeg_stream.parse(coded[:2] + tables[2:-2] + coded[2:], source)
    color = {_RGB: "rgb", _YCC: "ycc"}.get(tags.get(PHOTOMETRIC, 1), "gray")
    if stream.process not in {0, 1, 2} or len(stream.component_ids) != (1 if color == "gray" else 3):
        return  # a pixel type that is refused as such
    columns = tags.get(TILE_WIDTH, 0) if TILE_OFFSETS in tags else tags[WIDTH]
    rows = (
        tags.get(TILE_LENGTH, 0) if TILE_OFFSETS in tags else min(tags[LENGTH], tags.get(ROWS_PER_STRIP, tags[LENGTH]))
    )
    if stream.columns != columns or not 0 < stream.rows <= rows:
        msg = f"{source}: a JPEG of {stream.columns} x {stream.rows} pixels, but the TIFF has {columns} x {rows}. Fetch the file again."
        raise PixelError(msg)
    joined = stream.without_metadata(coded[:2] + tables[2:-2] + coded[2:], keep_adobe=False)
    stream = jpeg_stream.parse(joined, source)
    jpeg_form.check(stream, joined, source)
    if stream.precision == 8:
        jpeg_strict.decode(stream, joined, color, source)
