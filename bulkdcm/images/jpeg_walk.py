"""A JPEG's Huffman codes read one by one: what only decoding finds, if no decoder at hand tells of it.

libjpeg fills what lacks and only warns of it, and Pillow passes over its warnings. A walk over the codes proves that every
block is coded, by codes that are in the tables, and that nothing is left over.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from bulkdcm.errors import PixelError
from bulkdcm.images import jpeg_codes, jpeg_form, jpeg_stream
from bulkdcm.images.jpeg_typical_tables import TYPICAL

if TYPE_CHECKING:
    from bulkdcm.images.jpeg_codes import Coder, Lookup
    from bulkdcm.images.jpeg_form import Band, Part
    from bulkdcm.images.jpeg_stream import JpegStream, Scan

_STUFFED = re.compile(rb"\xff+\x00")
_PIECE_BYTES = 2**15
_BLOCK_BYTES = 256  # a block is at most 64 codes, each of 16 bits with 15 behind it
_MANY_BITS = 8  # of padding: a whole byte is more than that (F.1.2.3)


def check(encoded: bytes, source: str) -> None:
    """Refuse a stream of which a code is damaged, missing or left over.

    Parameters
    ----------
    encoded
        The stream, of 2 to 16 bits a sample.
    source
        For the message.

    Raises
    ------
    PixelError
        If it isn't complete in form, or its coding is arithmetic, which has no codes to read.
    DamagedError
        If its codes are wrong.
    """
    stream = jpeg_stream.parse(encoded, source)
    if stream.process >= jpeg_form.ARITHMETIC:
        msg = f"{source}: a JPEG of arithmetic coding can be decoded, and checked, by kornia-rs only. Run `pip install kornia-rs`, or export the image as PNG."
        raise PixelError(msg)
    jpeg_form.check(stream, encoded, source)
    known: dict[int, list[int]] = {}
    for scan in stream.scan_list:
        parts, band = jpeg_form.parts_of(stream, scan)
        total, blocks = jpeg_form.mcus(stream, parts)
        coder = _coder(stream, scan, (parts, band), blocks)
        if coder is None:
            table = jpeg_codes.lookup(scan.tables.huffman[1, parts[0].ac])
            coder = jpeg_codes.Ac(table, band, known.setdefault(parts[0].component, [0] * total))
        _walk_scan(coder, scan, encoded, total)


def _coder(stream: JpegStream, scan: Scan, coded: tuple[list[Part], Band], blocks: list[int]) -> Coder | None:
    """Return what reads a scan; None for AC coefficients, which depend on earlier scans."""
    parts, band = coded
    progressive = stream.process == jpeg_form.PROGRESSIVE
    if progressive and band.first:
        return None
    if progressive and band.before:
        return jpeg_codes.DcRefinement(sum(blocks))
    only_dc = progressive or stream.process == jpeg_form.LOSSLESS
    tables = scan.tables.huffman or TYPICAL
    mcu: list[tuple[Lookup, Lookup | None]] = []
    for part, count in zip(parts, blocks, strict=True):
        ac = None if only_dc else jpeg_codes.lookup(tables[1, part.ac])
        mcu += [(jpeg_codes.lookup(tables[0, part.dc]), ac)] * count
    return jpeg_codes.Sequential(mcu)


def _walk_scan(coder: Coder, scan: Scan, data: bytes, total: int) -> None:
    interval = scan.tables.restart_interval or total
    places = [scan.start, *(at for at, _ in scan.restarts), scan.end]
    for index, (start, end) in enumerate(pairwise(places)):
        first = index * interval
        coder.begin(first)
        coded = data[start + 2 * bool(index) : end].rstrip(b"\xff")  # fill bytes of the marker that follows
        _walk_part(coder, _STUFFED.sub(b"\xff", coded), min(interval, total - first))


def _walk_part(coder: Coder, data: bytes, count: int) -> None:
    """Read a part of a scan, from one restart marker to the next, piece by piece."""
    margin = _BLOCK_BYTES * coder.blocks + 2
    padded = data + bytes(margin)
    bit = done = 0
    while done < count:
        first = bit // 8
        piece_bytes = min(_PIECE_BYTES, len(data) - first)
        if piece_bytes <= 0 and not isinstance(coder, jpeg_codes.DcRefinement):
            raise jpeg_codes.DamagedError
        windows = jpeg_codes.windows_of(padded[first : first + piece_bytes + margin])
        here, done = coder.walk(windows, (bit - 8 * first, done), 8 * piece_bytes, count)
        bit = 8 * first + here
    if not 0 <= 8 * len(data) - bit < _MANY_BITS or not coder.ended():
        raise jpeg_codes.DamagedError
