"""A JPEG stream read marker by marker to its end, without decoding (ITU-T T.81 annex B).

What comes out says what the stream is, whether it is whole, and gives it back without its application segments:
EXIF carries GPS positions and thumbnails, which have no place in an archive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bulkdcm.errors import PixelError
from bulkdcm.images.jpeg_tables import MARKERS as _TABLES
from bulkdcm.images.jpeg_tables import Tables

SOI, EOI, SOS, DNL, COM, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xDC, 0xFE, 0xE0, 0xE1, 0xE2, 0xEE
SOF_LS = 0xF7  # of JPEG-LS (ITU-T T.87 C.2.2)
_STARTS_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_RESTARTS = range(0xD0, 0xD8)
_KNOWN = {*_STARTS_OF_FRAME, *_TABLES, SOS, DNL, COM, *range(APP0, 0xF0)}
# In a scan FF00 is a stuffed byte and FFFF fills: any other FFxx restarts or ends it.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff]")
_MAX_SCANS = 100  # a progressive image has about ten; each costs a decoder a pass over all of it


@dataclass(slots=True, kw_only=True)
class Scan:
    """One scan of a stream.

    Attributes
    ----------
    header
        Payload of its SOS segment.
    start, end
        Of its coded data.
    restarts
        Offset and number (0 to 7) of each restart marker in it.
    tables
        In force where it begins.
    """

    header: bytes
    start: int
    end: int
    restarts: list[tuple[int, int]]
    tables: Tables


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
    component_ids, sampling, quantisation
        Of each component, in the order of the frame header: its name, its horizontal and vertical sampling factors, the
        number of its quantisation table.
    predictor
        Selection value of the scans (lossless only); 0 where they have different ones.
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
    scan_list
        The scans.
    tables
        Those in force at the end.
    header_at
        Offset of the frame header's payload.
    lines_in_dnl
        Whether the frame header says 0 lines, and a DNL segment how many there are.
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
    sampling: tuple[tuple[int, int], ...] = ()
    quantisation: tuple[int, ...] = ()
    predictor: int = 0
    adobe_transform: int = -1
    jfif: bytes = b""
    exif: bytes = b""
    icc_profile: bytes = b""
    trailing_bytes: int = 0
    kept: list[tuple[int, int]] = field(default_factory=list)
    adobe: bytes = b""
    frames: int = 0
    scans: int = 0
    scanned: set[int] = field(default_factory=set)
    scan_list: list[Scan] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)
    header_at: int = 0
    lines_in_dnl: bool = False
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
        if self.lines_in_dnl:
            at = self.header_at + 1
            data = data[:at] + self.rows.to_bytes(2, "big") + data[at + 2 :]
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
        If the stream is cut off, has no EOI, no frame or no scan, or more frames than one.
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
        segment = data[position - 2 : end]
        if marker == SOS:
            end = _scan(stream, data, payload, end, source)
        elif marker in _STARTS_OF_FRAME:
            _frame(stream, marker, payload, source)
            stream.header_at, stream.lines_in_dnl = position + 2, not stream.rows
        elif marker in _TABLES:
            if wrong := stream.tables.define(marker, payload):
                raise PixelError(_not_legal(source, wrong))
        elif marker not in _KNOWN:
            raise PixelError(_unknown(marker, source))
        left_out = _is_metadata(stream, marker, payload, segment) or (marker == DNL and _lines(stream, payload, source))
        if not left_out:
            stream.kept.append((start, end))
        position = end
    stream.trailing_bytes = len(data) - position
    if stream.frames != 1 or not stream.scans:
        msg = f"{source}: a JPEG without {'an image' if not stream.frames else 'one single frame and its scans'}. Export it again."
        raise PixelError(msg)
    if not stream.rows:
        msg = f"{source}: the JPEG's frame header says 0 rows, {stream.columns} columns. Open and save it again."
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


def _not_legal(source: str, wrong: str) -> str:
    return f"{source}: the JPEG is damaged: {wrong}. Fetch the file again."


def _unknown(marker: int, source: str) -> str:
    if marker == SOF_LS:
        return f"{source}: a JPEG-LS stream, which can't be read here. Export it as PNG, which loses nothing either."
    if marker in {0xDE, 0xDF}:
        return f"{source}: a hierarchical JPEG can't be read. Export it as baseline JPEG or PNG."
    return _not_legal(source, f"its marker {marker:#04x} is none that an image has (T.81 B.1.1.3)")


def _scan(stream: JpegStream, data: bytes, payload: bytes, position: int, source: str) -> int:
    if not stream.frames:
        raise PixelError(_not_legal(source, "a scan comes before the frame header"))
    if len(payload) >= 3:
        stream.predictor = payload[-3] if not stream.scans or stream.predictor == payload[-3] else 0
    stream.scans += 1
    if stream.scans > _MAX_SCANS:
        msg = f"{source}: a JPEG of more than {_MAX_SCANS} scans, which would take for ever. Open and save it again."
        raise PixelError(msg)
    stream.scanned.update(payload[1 : 1 + 2 * payload[0] : 2] if payload else b"")
    restarts: list[tuple[int, int]] = []
    at = position
    while True:
        found = _MARKER_IN_SCAN.search(data, at)
        if not found:
            raise PixelError(_cut_off(source, "in its scan, without an End Of Image marker"))
        end = found.start()
        if data[end + 1] not in _RESTARTS:
            break
        restarts.append((end, data[end + 1] & 7))
        at = end + 2
    while data[end - 1] == 0xFF:  # fill bytes belong to the marker that follows
        end -= 1
    stream.scan_list.append(
        Scan(header=payload, start=position, end=end, restarts=restarts, tables=stream.tables.copy())
    )
    return end


def _lines(stream: JpegStream, payload: bytes, source: str) -> bool:
    """Take in the number of lines that follows a scan (T.81 B.2.5); return whether it stands in for the frame header's."""
    lines = int.from_bytes(payload, "big") if len(payload) == 2 else 0
    if not lines or not stream.scans or stream.rows not in {0, lines}:
        raise PixelError(
            _not_legal(source, f"its frame header says {stream.rows} lines, its DNL segment {lines} (B.2.5)")
        )
    stream.rows = lines
    return stream.lines_in_dnl


def _frame(stream: JpegStream, marker: int, payload: bytes, source: str) -> None:
    count = payload[5] if len(payload) > 5 else 0
    if not count or len(payload) != 6 + 3 * count:
        raise PixelError(_cut_off(source, "in its frame header"))
    stream.frames += 1
    stream.process = marker & 0x0F
    stream.precision = payload[0]
    stream.rows = int.from_bytes(payload[1:3], "big")
    stream.columns = int.from_bytes(payload[3:5], "big")
    stream.component_ids = tuple(payload[6::3])
    stream.sampling = tuple((factors >> 4, factors & 15) for factors in payload[7::3])
    stream.quantisation = tuple(payload[8::3])
    if not stream.columns:
        msg = f"{source}: the JPEG's frame header says {stream.rows} rows, {stream.columns} columns. Open and save it again."
        raise PixelError(msg)


def _is_metadata(stream: JpegStream, marker: int, payload: bytes, segment: bytes) -> bool:
    if marker == COM:
        return True
    if not APP0 <= marker <= 0xEF:
        return False
    if marker == APP0 and payload.startswith(b"JFIF\0"):
        stream.jfif = payload
    elif marker == APP1 and payload.startswith(b"Exif\0") and not stream.exif:
        stream.exif = payload
    elif marker == APP2 and payload.startswith(b"ICC_PROFILE\0") and len(payload) > 14:
        stream.icc_parts[payload[12]] = payload[14:]
    elif marker == APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
        stream.adobe_transform = payload[11]
        stream.adobe = segment
    return True
