"""A PNG's chunks without its pixels (ISO/IEC 15948): what it is, whether it is whole, and what it says of itself."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from bulkdcm.errors import PixelError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}
_DEPTHS = {GRAY: {1, 2, 4, 8, 16}, RGB: {8, 16}, PALETTE: {1, 2, 4, 8}, GRAY_ALPHA: {8, 16}, RGB_ALPHA: {8, 16}}
_INTERLACES = {0, 1}
_WANTED = {b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"acTL"}
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
        Payloads of palette, transparency, colour profile, EXIF and animation control, where present.
    """

    rows: int
    columns: int
    bit_depth: int
    color_type: int
    interlaced: bool
    chunks: dict[bytes, bytes] = field(default_factory=dict)

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


def parse(data: bytes, source: str) -> PngHeader:
    """Walk the chunks to IEND, checking the CRC of each but the pixels', which the decoder checks.

    Raises
    ------
    PixelError
        Where the file is cut off, a chunk is damaged, or its header is none of the Standard's.
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
            elif kind in _WANTED:
                header.chunks.setdefault(kind, payload)
        elif header is None:
            _header(kind, b"", source)
        if kind == b"IEND" and header is not None:
            return header
        position = end


def check_scanlines(data: bytes, header: PngHeader, source: str) -> None:
    """Refuse pixels that are damaged or not all there, for decoders that fill what lacks and say nothing.

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
        Where a checksum is wrong, or lines lack.
    """
    needed, found = header.scanline_bytes(), 0
    inflate = zlib.decompressobj()
    position = len(SIGNATURE)
    try:
        while (kind := data[position + 4 : position + 8]) != b"IEND":
            end = position + 12 + int.from_bytes(data[position : position + 4], "big")
            if kind == b"IDAT":
                payload = data[position + 8 : end - 4]
                if zlib.crc32(payload, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
                    msg = f"{source}: the PNG can't be decoded: the checksum of its pixels at byte {position} is wrong. Fetch the file again."
                    raise PixelError(msg)
                found += len(inflate.decompress(payload, needed - found + 1)) if found <= needed else 0
            position = end
    except zlib.error as error:
        msg = f"{source}: the PNG can't be decoded: {error}. Fetch the file again."
        raise PixelError(msg) from error
    if found < needed:
        msg = f"{source}: the PNG can't be decoded: {found} of {needed} bytes of its lines are there. Fetch the file again."
        raise PixelError(msg)


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
