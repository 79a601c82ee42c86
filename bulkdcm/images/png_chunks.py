"""A PNG's chunks without its pixels (ISO/IEC 15948): what it is, whether it is whole, and what it says of itself."""

from __future__ import annotations

import importlib
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import PixelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

try:
    inflater: Any = importlib.import_module("isal.isal_zlib")  # an extra, three times as fast
except ImportError:
    inflater = zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}
_DEPTHS = {GRAY: {1, 2, 4, 8, 16}, RGB: {8, 16}, PALETTE: {1, 2, 4, 8}, GRAY_ALPHA: {8, 16}, RGB_ALPHA: {8, 16}}
_INTERLACES = {0, 1}
# Of the colours' meaning; DICOM has a place for an ICC profile only.
COLOR_SPACE = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")
_WANTED = {b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"acTL", b"sBIT", b"pHYs", *COLOR_SPACE}
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
_PIECE = 65_536
_IDAT_CRC = zlib.crc32(b"IDAT")
# Of a zlib stream that isn't compressed (RFC 1950 2.2, RFC 1951 3.2.4).
_ZLIB_HEADER, _LAST_BLOCK, _MOST_A_BLOCK = b"\x78\x01", b"\x01\0\0\xff\xff", 65_535
# Of lines: fewer are decoded as fast as they are, and of more there is no room for another copy.
_LEAST_STORED_BYTES, _MOST_STORED_BYTES = 2**14, 2**28
_MAX_PROFILE_BYTES = 2**24
# Left, top, step across, step down of each pass.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(slots=True, kw_only=True)
class PngHeader:
    """What stands before and beside the pixels.

    Attributes
    ----------
    rows, columns, bit_depth, color_type, interlaced
        Of the IHDR chunk.
    chunks
        Payloads of palette, transparency, significant bits, pixel dimensions, colour profile and space, EXIF and animation
        control, where present.
    bare
        Whether there is nothing in the file but its pixels.
    """

    rows: int
    columns: int
    bit_depth: int
    color_type: int
    interlaced: bool
    chunks: dict[bytes, bytes] = field(default_factory=dict)
    bare: bool = True

    def scanline_bytes(self) -> int:
        """Return the size of the filtered lines that the pixels inflate to (ISO/IEC 15948 8, 9)."""
        bits = self.bit_depth * SAMPLES[self.color_type]
        passes = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for left, top, across, down in passes:
            columns = max(0, -(-(self.columns - left) // across))
            rows = max(0, -(-(self.rows - top) // down))
            total += rows * (1 + (columns * bits + 7) // 8) if columns else 0
        return total

    def icc_profile(self) -> bytes:
        """Return the embedded profile; empty where there is none or it can't be unpacked."""
        _, _, rest = self.chunks.get(b"iCCP", b"").partition(b"\0")
        if not rest:
            return b""
        try:
            return zlib.decompressobj().decompress(rest[1:], _MAX_PROFILE_BYTES)
        except zlib.error:
            return b""

    def significant_bits(self) -> int:
        """Return how many bits of a gray sample the file declares (ISO/IEC 15948 11.3.2.4); 0 if it doesn't."""
        declared = self.chunks.get(b"sBIT", b"")
        return declared[0] if self.color_type in {GRAY, GRAY_ALPHA} and declared else 0

    def left_out(self) -> str:
        """Return what the file says of its colours' meaning that DICOM has no place for."""
        found = []
        for kind in COLOR_SPACE:
            if (payload := self.chunks.get(kind)) is not None:
                gamma = f" {int.from_bytes(payload, 'big') / 100_000:g}" if kind == b"gAMA" else ""
                found.append(kind.decode() + gamma)
        if b"iCCP" in self.chunks and not self.icc_profile():
            found.append("ICC profile (damaged)")
        return f"colour space left out: {', '.join(found)}" if found else ""


def parse(data: bytes, source: str) -> PngHeader:
    """Walk the chunks to IEND, checking the CRC of each but the pixels', which `inflated` checks.

    Raises
    ------
    PixelError
        If the file is cut off, a chunk is damaged, or its header is none of the Standard's.
    """
    header: PngHeader | None = None
    position = len(SIGNATURE)
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        end = position + 12 + length
        if len(kind) < 4 or end > len(data):
            msg = f"{source}: the PNG is cut off at byte {len(data)}. Fetch the file again."
            raise PixelError(msg)
        if kind != b"IDAT":
            payload = data[position + 8 : end - 4]
            if zlib.crc32(payload, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
                msg = f"{source}: the checksum of the PNG's chunk {kind!r} at byte {position} is wrong. Fetch the file again."
                raise PixelError(msg)
            if header is None:
                header = _header(kind, payload, source)
            else:
                header.bare = header.bare and kind in _PIXELS
                if kind in _WANTED:
                    header.chunks.setdefault(kind, payload)
        elif header is None:
            _header(kind, b"", source)
        if kind == b"IEND" and header is not None:
            return header
        position = end


def bare(data: bytes, pixels: Iterable[Any] = ()) -> bytes:
    """Return the file with nothing but its pixels: a decoder may refuse the rest, such as a long text.

    Parameters
    ----------
    data
        The whole file, which `parse` has walked.
    pixels
        A chunk, in pieces, that takes the place of all IDAT chunks; if empty, they stay.
    """
    kept: list[Any] = [SIGNATURE]
    position, instead = len(SIGNATURE), list(pixels)
    replaced = bool(instead)
    while True:
        kind = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if kind == b"IDAT" and replaced:
            kept += instead
            instead.clear()
        elif kind in _PIXELS:
            kept.append(data[position:end])
        if kind == b"IEND":
            return b"".join(kept)
        position = end


def _chunk(pieces: Sequence[Any]) -> Iterator[Any]:
    """Yield a chunk's length, its type and data as given, and its checksum."""
    crc = 0
    for piece in pieces:
        crc = inflater.crc32(piece, crc)
    yield (sum(map(len, pieces)) - 4).to_bytes(4, "big")
    yield from pieces
    yield crc.to_bytes(4, "big")


def inflated(data: bytes, header: PngHeader, source: str) -> bytes:
    """Return the file as `bare` does, its lines inflated and checked, so that no decoder has to do that again.

    Decoders fill what lacks, and pass over the zlib checksum. The lines go into stored blocks (RFC 1951 3.2.4), which takes
    a decoder half the time; those of very small and very large images stay compressed.

    Parameters
    ----------
    data
        The whole file, which `parse` has walked.
    header
        What `parse` returned.
    source
        For the message.

    Raises
    ------
    PixelError
        If a checksum is wrong or lacks, or lines lack, or there are far more than the image has.
    """
    needed, found = header.scanline_bytes(), 0
    keep = _LEAST_STORED_BYTES <= needed <= _MOST_STORED_BYTES
    stored, adler = [b"IDAT", _ZLIB_HEADER], 1
    inflate: Any = inflater.decompressobj()
    wrong = ""
    try:
        for position, payload in _idats(data):
            crc = inflater.crc32(payload, _IDAT_CRC)
            if crc != int.from_bytes(data[position + 8 + len(payload) : position + 12 + len(payload)], "big"):
                wrong = f"the checksum of its pixels at byte {position} is wrong"
            for at in range(0, len(payload), _PIECE):
                if inflate.eof or wrong:
                    break
                lines = inflate.decompress(payload[at : at + _PIECE])
                if keep and found < needed:
                    lines_of_image = memoryview(lines)[: needed - found]
                    adler = inflater.adler32(lines_of_image, adler)
                    stored += _blocks(lines_of_image)
                found += len(lines)
                if found > 2 * needed + _PIECE:
                    wrong = f"its lines are {needed} bytes, and its data goes on for more than {found}"
    except inflater.error:
        wrong = "its compressed data is damaged, or their checksum is wrong"
    if not wrong and found < needed:
        wrong = f"{found} of {needed} bytes of its lines are there"
    if not wrong and not inflate.eof:
        wrong = "its data ends before its checksum"
    if wrong:
        msg = f"{source}: the PNG can't be decoded: {wrong}. Fetch the file again."
        raise PixelError(msg)
    if keep:
        return bare(data, _chunk([*stored, _LAST_BLOCK, adler.to_bytes(4, "big")]))
    return data if header.bare else bare(data)


def _blocks(lines: memoryview) -> Iterator[Any]:
    """Yield bytes as stored blocks, none of them the last (RFC 1951 3.2.4)."""
    for at in range(0, len(lines), _MOST_A_BLOCK):
        block = lines[at : at + _MOST_A_BLOCK]
        size = len(block)
        yield b"\0" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
        yield block


def _idats(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """Yield position and payload of each chunk of pixels."""
    view, position = memoryview(data), len(SIGNATURE)
    while (kind := data[position + 4 : position + 8]) != b"IEND":
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if kind == b"IDAT":
            yield position, view[position + 8 : end - 4]
        position = end


def _header(kind: bytes, payload: bytes, source: str) -> PngHeader:
    if kind == b"IHDR" and len(payload) == 13:
        header = PngHeader(
            columns=int.from_bytes(payload[:4], "big"),
            rows=int.from_bytes(payload[4:8], "big"),
            bit_depth=payload[8],
            color_type=payload[9],
            interlaced=payload[12] == 1,
        )
        known = payload[10:12] == b"\0\0" and payload[12] in _INTERLACES  # compression, filter, interlace methods
        if known and header.rows and header.columns and header.bit_depth in _DEPTHS.get(header.color_type, ()):
            return header
    msg = f"{source}: the PNG's header chunk is not one of the Standard's. Export the image again."
    raise PixelError(msg)
