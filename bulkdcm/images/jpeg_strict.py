"""JPEG decoded so that nothing which libjpeg-turbo would only warn of passes.

It tells of what only decoding can find: a scan that ends early with its End Of Image in place, or bytes that no longer are
what was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.errors import PixelError
from bulkdcm.images import decoders, failures, jpeg_stream

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bulkdcm.images.jpeg_stream import JpegStream
    from bulkdcm.model import Pixels

_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
_ADOBE_RGB = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"


def decode(stream: JpegStream, data: bytes, color: str, source: str) -> Pixels:
    """Return the pixels of an 8-bit stream.

    Parameters
    ----------
    stream
        As parsed.
    data
        The bytes it was parsed from.
    color
        ``gray``, ``ycc`` or ``rgb``: what its components are, whatever its segments say.
    source
        For the message.

    Raises
    ------
    PixelError
        If the decoder finds anything to complain of.
    """
    bare = stream.without_metadata(data, keep_adobe=False)
    says = {"ycc": _JFIF, "rgb": _ADOBE_RGB}.get(color, b"")
    encoded = bare[:2] + says + bare[2:]
    with _decoding(stream, source):
        pixels: Pixels = decoders.jpeg(encoded, source, gray=color == "gray")
    if pixels.shape[:2] != (stream.rows, stream.columns):
        msg = f"{source}: {pixels.shape[:2]} pixels decoded, {(stream.rows, stream.columns)} in its frame header. Export it anew."
        raise PixelError(msg)
    return pixels[:, :, 0] if color == "gray" else pixels


def check(encoded: bytes, color: str, source: str) -> None:
    """Refuse a stream in which decoding finds anything wrong.

    Parameters
    ----------
    encoded
        As it will be encapsulated.
    color
        What its components are.
    source
        For the message.

    Raises
    ------
    PixelError
        If the decoder finds anything to complain of.
    """
    stream = jpeg_stream.parse(encoded, source)
    if stream.precision != 8:
        # Coefficients and differences are coded alike at every precision, so a decoder of 8 bits finds the same errors.
        encoded = encoded[: stream.header_at] + b"\x08" + encoded[stream.header_at + 1 :]
    with _decoding(stream, source):
        decoders.check_jpeg(encoded, source, gray=color == "gray")


def _decoding(stream: JpegStream, source: str) -> AbstractContextManager[None]:
    size_bytes = stream.rows * stream.columns * len(stream.component_ids)
    return failures.decoding(
        f"{source}: the JPEG can't be decoded", "Fetch the file again, or export it anew.", size_bytes
    )
