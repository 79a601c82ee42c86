"""JPEG once more: its markers read a second time, its coefficients, and how far decoders may lie apart.

Nothing of `images` that parses or decodes is used here, but for its copy of TurboJPEG to turn blocks back.
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bulkdcm.images import jpeg_transcode
from bulkdcm.proof.policy import Unproven, orientation_of, turned

# How far samples of decoders were found to lie apart at most, by the sampling of the first component's neighbours.
_APART = {"gray": 1, "4:4:4": 3, "4:2:0": 10, "4:2:2": 13}
_APART_ELSE = 16
_SAMPLINGS: dict[tuple[float, float], str] = {(1, 1): "4:4:4", (2, 2): "4:2:0", (2, 1): "4:2:2"}
_EOI, _SOS, _DNL, _COM = 0xD9, 0xDA, 0xDC, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_ALONE = {0x01, *range(0xD0, 0xD8)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BACK = {6: 8, 8: 6}  # the orientation that undoes another; the others undo themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A stream up to its first EOI.

    Attributes
    ----------
    parts
        Marker and bytes of each segment, and of a scan its coded data behind the header; no application segment and no
        comment among them, and no bytes that only fill.
    applications
        Marker and bytes of those that are left out.
    components
        Of the frame.
    sampling
        Factors of the first component over those of the second, if all others have those of the second.
    height_at
        Where its height stands in the bytes.
    """

    parts: list[tuple[int, bytes]]
    applications: list[tuple[int, bytes]]
    components: int = 0
    sampling: tuple[float, float] = (1, 1)
    height_at: int = 0

    def with_its_height(self, data: bytes) -> bytes:
        """Return the stream with the height where decoders look for it, if it follows the pixels (ITU-T T.81 B.2.5)."""
        lines = [payload for marker, payload in self.parts if marker == _DNL]
        at = self.height_at
        return data[:at] + lines[0] + data[at + 2 :] if lines and data[at : at + 2] == b"\0\0" else data

    @property
    def orientation(self) -> int:
        """By the first EXIF segment."""
        found = [payload for marker, payload in self.applications if marker == 0xE1 and payload.startswith(b"Exif\0")]
        return orientation_of(found[0]) if found else 1


def read(data: bytes) -> Read:
    """Return the segments of a stream.

    Raises
    ------
    ValueError
        If it is no JPEG, or ends before its EOI.
    """
    parts: list[tuple[int, bytes]] = []
    applications: list[tuple[int, bytes]] = []
    header, height_at = b"", 0
    at = 2
    while True:
        at = data.index(b"\xff", at)
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == _EOI:
            break
        if marker in _ALONE:
            continue
        end = at + int.from_bytes(data[at : at + 2], "big")
        payload = data[at + 2 : end]
        if marker in _FRAMES:
            header, height_at = payload, at + 3
        if marker == _SOS:
            at, end = end, _end_of_scan(data, end)
            payload += b"\0scan\0" + data[at:end].rstrip(b"\xff")
        (applications if marker in _APPLICATION or marker == _COM else parts).append((marker, payload))
        at = end
    factors = [(byte >> 4, byte & 15) for byte in header[7::3]]
    across, down = factors[0] if factors else (1, 1)
    others = set(factors[1:]) or {(across, down)}
    other = next(iter(others)) if len(others) == 1 else (0, 0)
    ratio = (across / other[0], down / other[1]) if all(other) else (0.0, 0.0)
    return Read(parts=parts, applications=applications, components=len(factors), sampling=ratio, height_at=height_at)


def _end_of_scan(data: bytes, at: int) -> int:
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] not in {0x00, 0xFF, *range(0xD0, 0xD8)}:
            return at
        at += 1 if data[at + 1] == 0xFF else 2


def bound(found: Read) -> int:
    """Return how far apart two decoders may be at a sample."""
    if found.components == 1:
        return _APART["gray"]
    return _APART.get(_SAMPLINGS.get(found.sampling, ""), _APART_ELSE)


def by_the_same(data: bytes, found: Read) -> Any:
    """Return the pixels by the library that converts, told nothing of what the components are; None if it refuses, or isn't here."""
    try:
        from kornia_rs.io import decode_image_jpegturbo  # noqa: PLC0415  # only of JPEG, and not everywhere

        pixels: Any = decode_image_jpegturbo(data, "mono" if found.components == 1 else "rgb")
    except Exception:  # noqa: BLE001  # of damage beyond the image it speaks, too
        return None
    return pixels[..., 0] if found.components == 1 else pixels


def passed_through(source: bytes, stream: bytes) -> str:
    """Return how an encapsulated stream is more or less than its source without what others have written about it; else nothing."""
    ours, theirs = read(stream), read(source)
    if ours.parts != theirs.parts:
        if [marker for marker, _ in ours.parts] != [marker for marker, _ in theirs.parts]:
            return "its segments are others than the source's"
        different = next(n for n, pair in enumerate(zip(ours.parts, theirs.parts, strict=True)) if pair[0] != pair[1])
        marker = ours.parts[different][0]
        return f"its {'scan' if marker == _SOS else f'segment {marker:#04x}'} is another than the source's"
    foreign = [part for part in ours.applications if part[0] != 0xEE or part not in theirs.applications]
    return f"it has a segment {foreign[0][0]:#04x} that was to be left out" if foreign else ""


def transcoded(source: bytes, stream: bytes) -> tuple[str, str]:
    """Return how a stream's coefficients are others than its source's, empty if they are the same; and how that was found out."""
    theirs = read(source)
    gray = read(stream).components < theirs.components
    apart = _decoded_apart(source, stream, theirs, gray=gray)
    allowed = bound(theirs) if theirs.orientation != 1 or gray else 0
    if apart > allowed:
        return f"it decodes to samples up to {apart} apart from the source's", ""
    back = stream
    if theirs.orientation != 1:
        back, why = jpeg_transcode.transcoded(stream, _BACK.get(theirs.orientation, theirs.orientation), gray=False)
        if why:
            raise Unproven(why)
    mine, other = coefficients(back), coefficients(source)
    if mine is None or other is None:
        return "", "equal decoding, for want of a reader of coefficients (pip install jpeglib)" if not allowed else (
            f"decoding within {allowed} levels, for want of a reader of coefficients (pip install jpeglib)"
        )
    same = all(np.array_equal(a, b) for a, b in zip(mine, other, strict=False)) and (gray or len(mine) == len(other))
    return ("" if same else "its coefficients are others than the source's"), "equal coefficients (jpeglib)"


def _decoded_apart(source: bytes, stream: bytes, theirs: Read, *, gray: bool) -> int:
    with Image.open(io.BytesIO(source)) as image:
        expected = turned(np.asarray(image.convert("L") if gray else image), theirs.orientation)
    adobe = b"".join(
        b"\xff\xee" + (len(payload) + 2).to_bytes(2, "big") + payload
        for marker, payload in theirs.applications
        if marker == 0xEE
    )
    jfif = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" if any(m == 0xE0 for m, _ in theirs.applications) else b""
    bare = stream[2:] if b"Adobe" in stream[:64] else adobe + stream[2:]
    with Image.open(io.BytesIO(stream[:2] + jfif + bare)) as image:
        found = np.asarray(image)
    if found.shape != expected.shape:
        return 255
    return int(np.abs(found.astype(np.int32) - expected).max())


@cache
def _has_jpeglib() -> bool:
    return find_spec("jpeglib") is not None


def coefficients(data: bytes) -> list[Any] | None:
    """Return each component's coefficients, dequantised, by libjpeg 6b; None if it isn't here, or can't read them."""
    if not _has_jpeglib():
        return None
    import jpeglib  # noqa: PLC0415  # not a dependency

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stream.jpg")
        path.write_bytes(data)
        try:
            image = jpeglib.read_dct(str(path))
        except Exception:  # noqa: BLE001  # arithmetic coding is none of its
            return None
    tables = [image.get_component_qt(number) for number in range(3 if image.Cb is not None else 1)]
    found = [part for part in (image.Y, image.Cb, image.Cr) if part is not None]
    return [part * table for part, table in zip(found, tables, strict=True)]
