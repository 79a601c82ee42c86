"""The decoders of PNG and JPEG: kornia-rs, or Pillow if kornia-rs isn't there. Nothing else asks which of them is here.

The pixels are the same. Pillow cuts 16-bit colour to 8 bits: it decodes it twice, each time to another half of the samples.
It keeps libjpeg's warnings to itself: the codes of a JPEG are read before it decodes them.
"""

from __future__ import annotations

import io
from importlib import metadata
from typing import Any

import numpy as np
from PIL import Image

from bulkdcm.images import jpeg_codes, jpeg_walk

_kornia: Any
try:
    from kornia_rs import io as _kornia
except ImportError:
    _kornia = None

NAME, REMEDY = "kornia-rs", "pip install kornia-rs"
DECODES_PNG = DECODES_JPEG = NAME if _kornia else "Pillow"
_HIGH, _LOW = "16B", "16L"  # of a big-endian sample the byte that Pillow keeps, by the order that it is told
_WORDLESS = "Something went wrong"  # all that kornia-rs says of most damage
_DAMAGED = "a scan is damaged, or ends early"


def release() -> str:
    """Return the decoder's name and release; empty if it isn't here."""
    return f"{NAME} {metadata.version(NAME)}" if _kornia else ""


def png(data: bytes, size: tuple[int, int], bit_depth: int, mode: str) -> Any:
    """Return the samples of a PNG of whole bytes.

    Parameters
    ----------
    data
        A PNG that is known to be whole.
    size
        Rows and columns.
    bit_depth
        8 or 16.
    mode
        ``mono``, ``rgb`` or ``rgba``.

    Returns
    -------
    Shape ``(rows, columns)`` or ``(rows, columns, samples)``, dtype uint8 or uint16.
    """
    if _kornia:
        decode = _kornia.decode_image_png_u16 if bit_depth == 16 else _kornia.decode_image_png_u8
        samples = decode(data, size, mode)
        return samples.reshape(size) if mode == "mono" else samples
    if bit_depth == 8:
        return _by_pillow(data)
    if mode == "mono":
        return _by_pillow(data).astype(np.uint16)
    high, low = (_by_pillow(data, f"{mode.upper()};{half}") for half in (_HIGH, _LOW))
    return high.astype(np.uint16) << 8 | low


def _by_pillow(data: bytes, raw: str = "") -> Any:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        if raw:
            image.tile = [tile._replace(args=raw) for tile in image.tile]
        return np.asarray(image)


def jpeg(encoded: bytes, source: str, *, gray: bool) -> Any:
    """Return the samples of a JPEG of 8 bits, in which decoding finds nothing wrong.

    Parameters
    ----------
    encoded
        With segments that say what its components are.
    source
        For the message.
    gray
        Whether it has one.

    Returns
    -------
    Shape ``(rows, columns, samples)``, dtype uint8.

    Raises
    ------
    PixelError
        If it can't be told here whether anything is wrong.
    Exception
        Of the decoder, if anything is.
    """
    if _kornia:
        return _strictly(encoded, gray=gray)
    check_jpeg(encoded, source, gray=gray)
    with Image.open(io.BytesIO(encoded), formats=("JPEG",)) as image:
        samples = np.asarray(image)
    return samples[:, :, None] if samples.ndim == 2 else samples


def check_jpeg(encoded: bytes, source: str, *, gray: bool) -> None:
    """Refuse a JPEG of any precision in which decoding finds anything wrong, as `jpeg` does."""
    if _kornia:
        _strictly(encoded, gray=gray)
        return
    try:
        jpeg_walk.check(encoded, source)
    except jpeg_codes.DamagedError as error:
        raise ValueError(_DAMAGED) from error


def _strictly(encoded: bytes, *, gray: bool) -> Any:
    try:
        return _kornia.decode_image_jpegturbo(encoded, "mono" if gray else "rgb")
    except Exception as error:
        if not str(error).startswith(_WORDLESS):
            raise
        raise ValueError(_DAMAGED) from error
