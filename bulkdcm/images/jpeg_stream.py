"""A JPEG stream read marker by marker to its end, without decoding (ITU-T T.81 annex B).

What comes out says what the stream is, whether it is whole, and gives it back without its application segments:
EXIF carries GPS positions and thumbnails, which have no place in an archive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bulkdcm.errors import PixelError

SOI, EOI, SOS, DNL, COM, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xDC, 0xFE, 0xE0, 0xE1, 0xE2, 0xEE
_STARTS_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}
# In a scan FF00 is a stuffed byte, FFD0-FFD7 restart, and FFFF fills: any other FFxx ends it.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(slots=True, kw_only=True)
class JpegStream:
    """One JPEG image.

    Attributes
    ----------
    process
        Low nibble of the SOF marker: 0 baseline, 1 extended, 2 progressive, 3 lossless, 9 and up arithmetic.
    precision
        Bits a sample.
    rows, columns
        Size in pixels.
    component_ids
        In the order of the frame header.
    predictor
        Selection value of the first scan (lossless only).
    adobe_transform
        0 RGB or CMYK, 1 YCbCr, 2 YCCK; -1 without an Adobe segment.
    jfif
        Whether there is a JFIF segment.
    exif
        Payload of the first EXIF segment.
    icc_profile
        Joined from its segments.
    trailing_bytes
        After the first EOI.
    frames, scans, scanned
        Number of frame headers and scans, and the components that the scans hold.
    kept
        Offset ranges of everything but application segments and comments.
    adobe
        The Adobe segment, marker included.
    """

    process: int = -1
    precision: int = 0
    rows: int = 0
    columns: int = 0
    component_ids: tuple[int, ...] = ()
    predictor: int = 0
    adobe_transform: int = -1
    jfif: bool = False
    exif: bytes = b""
    icc_profile: bytes = b""
    trailing_bytes: int = 0
    kept: list[tuple[int, int]] = field(default_factory=list)
    adobe: bytes = b""
    frames: int = 0
    scans: int = 0
    scanned: set[int] = field(default_factory=set)
    icc_parts: dict[int, bytes] = field(default_factory=dict)

    def without_metadata(self, data: bytes, *, keep_adobe: bool) -> bytes:
        """Return the stream of `data` up to its EOI, without APPn and COM segments.

        Parameters
        ----------
        data
            The bytes this was parsed from.
        keep_adobe
            Keep the Adobe segment, which tells a decoder that the components are RGB.
        """
        parts = [data[start:end] for start, end in self.kept]
        if keep_adobe and self.adobe:
            parts.insert(1, self.adobe)
        return b"".join(parts)


def parse(data: bytes, source: str) -> JpegStream:
    """Read the stream's structure to its end.

    Parameters
    ----------
    data
        Begins with SOI.
    source
        For the message.

    Raises
    ------
    PixelError
        Where the stream is cut off, has no EOI, no frame or no scan, or more frames than one.
    """
    stream = JpegStream()
    stream.kept.append((0, 2))
    position = 2
    while True:
        start = position
        position, marker = _next_marker(data, position, source)
        if marker == EOI:
            stream.kept.append((position - 2, position))
            break
        if marker in _ALONE:
            continue
        end = position + int.from_bytes(data[position : position + 2], "big")
        if end > len(data) or end < position + 2:
            raise PixelError(_cut_off(source, "in a marker segment"))
        payload = data[position + 2 : end]
        if marker == SOS:
            end = _scan(stream, data, payload, end, source)
        if _is_metadata(stream, marker, payload, data[position - 2 : end]):
            position = end
            continue
        if marker in _STARTS_OF_FRAME:
            _frame(stream, marker, payload, source)
        stream.kept.append((start, end))
        position = end
    stream.trailing_bytes = len(data) - position
    if stream.frames != 1 or not stream.scans:
        msg = f"{source}: a JPEG without {'an image' if not stream.frames else 'one single frame and its scans'}. Export it again."
        raise PixelError(msg)
    stream.icc_profile = b"".join(stream.icc_parts[key] for key in sorted(stream.icc_parts))
    return stream


def _next_marker(data: bytes, position: int, source: str) -> tuple[int, int]:
    if position >= len(data):
        raise PixelError(_cut_off(source, "without an End Of Image marker"))
    if data[position] != 0xFF:
        msg = f"{source}: byte {position} of the JPEG should begin a marker and is {data[position]:#04x}. The file is damaged: fetch it again."
        raise PixelError(msg)
    while position < len(data) and data[position] == 0xFF:  # fill bytes
        position += 1
    if position >= len(data):
        raise PixelError(_cut_off(source, "without an End Of Image marker"))
    if data[position] in {0x00, SOI}:
        msg = (
            f"{source}: a second image begins inside the JPEG, at byte {position}. The file is damaged: fetch it again."
        )
        raise PixelError(msg)
    return position + 1, data[position]


def _cut_off(source: str, where: str) -> str:
    return f"{source}: the JPEG stream is cut off {where}. Fetch the file again."


def _scan(stream: JpegStream, data: bytes, payload: bytes, position: int, source: str) -> int:
    if not stream.scans and len(payload) >= 3:
        stream.predictor = payload[-3]
    stream.scans += 1
    stream.scanned.update(payload[1 : 1 + 2 * payload[0] : 2] if payload else b"")
    found = _END_OF_SCAN.search(data, position)
    if not found:
        raise PixelError(_cut_off(source, "in its scan, without an End Of Image marker"))
    end = found.start()
    while data[end - 1] == 0xFF:  # fill bytes belong to the marker that follows
        end -= 1
    return end


def _frame(stream: JpegStream, marker: int, payload: bytes, source: str) -> None:
    count = payload[5] if len(payload) > 5 else 0
    if not count or len(payload) < 6 + 3 * count:
        raise PixelError(_cut_off(source, "in its frame header"))
    stream.frames += 1
    stream.process = marker & 0x0F
    stream.precision = payload[0]
    stream.rows = int.from_bytes(payload[1:3], "big")
    stream.columns = int.from_bytes(payload[3:5], "big")
    stream.component_ids = tuple(payload[6 + 3 * i] for i in range(count))
    if not stream.rows or not stream.columns:
        msg = f"{source}: the JPEG's frame header says {stream.rows} rows, {stream.columns} columns. Open and save it again."
        raise PixelError(msg)


def _is_metadata(stream: JpegStream, marker: int, payload: bytes, segment: bytes) -> bool:
    if marker == COM:
        return True
    if not APP0 <= marker <= 0xEF:
        return False
    if marker == APP0 and payload.startswith(b"JFIF\0"):
        stream.jfif = True
    elif marker == APP1 and payload.startswith(b"Exif\0") and not stream.exif:
        stream.exif = payload
    elif marker == APP2 and payload.startswith(b"ICC_PROFILE\0") and len(payload) > 14:
        stream.icc_parts[payload[12]] = payload[14:]
    elif marker == APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
        stream.adobe_transform = payload[11]
        stream.adobe = segment
    return True
