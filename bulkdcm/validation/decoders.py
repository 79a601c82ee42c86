"""The decoders that are installed for each compressed transfer syntax, as functions from a frame's stream to its samples.

The strictest come first. Colour is compared as it is in the stream where that is possible: a decoder's own conversion to
RGB would blur what it has in common with another.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.images import decoders, jpeg_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.validation.pixels import Shape

_RGB_BY_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
_START_OF_FRAME = re.compile(rb"\xff[\xc0-\xc3]")
_J2K = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91))
_HTJ2K = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203))
_JPEG_LS = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (80, 81))
_LOSSLESS_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (57, 70))
_RLE = "1.2.840.10008.1.2.5"
JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51))


class Unsupported(Exception):  # noqa: N818  # no error of the stream's
    """What this decoder leaves out of the standard of its streams."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """One way to decode.

    Attributes
    ----------
    name
        For messages.
    package
        That must be importable.
    library
        At work in it: two of one library agree in their faults too.
    read
        The function: raises whatever it likes of a stream it refuses, `Unsupported` of one it wasn't written for.
    """

    name: str
    package: str
    library: str
    read: Callable[[bytes, Shape], Any]


def _turbo(data: bytes, shape: Shape) -> Any:
    # The one decoder here that refuses what libjpeg only warns of.
    color = shape.samples == 3
    return decoders.jpeg(bare(data) if color else data, "the stream", gray=not color)


def _turbo_lossless(data: bytes, shape: Shape) -> Any:
    if shape.samples > 1 or shape.bits_stored != 8:
        raise Unsupported
    return _turbo(data, shape)


def _zune(data: bytes, shape: Shape) -> Any:
    from kornia_rs.io import decode_image_jpeg

    if shape.samples == 3 and not _usual(sampling(data)):
        raise Unsupported
    try:
        return decode_image_jpeg(bare(data) if shape.samples == 3 else data)
    except Exception as error:
        if "not supported" in str(error):
            raise Unsupported from error
        raise


def _pydicom(data: bytes, shape: Shape) -> Any:
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import RLELosslessDecoder

    options: dict[str, Any] = {
        "rows": shape.rows,
        "columns": shape.columns,
        "samples_per_pixel": shape.samples,
        "photometric_interpretation": shape.photometric_interpretation,
        "bits_allocated": shape.bits_allocated,
        "bits_stored": shape.bits_stored,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        **({"planar_configuration": 0} if shape.samples > 1 else {}),
    }
    return RLELosslessDecoder.as_array(encapsulate([data]), index=0, raw=True, **options)[0]


def _imagecodecs_rle(data: bytes, shape: Shape) -> Any:
    import imagecodecs

    dtype = np.dtype("u1" if shape.bits_allocated == 8 else "<u2")
    planes = np.frombuffer(imagecodecs.dicomrle_decode(data, dtype), dtype)
    planes = planes[: shape.samples * shape.rows * shape.columns].reshape(shape.samples, shape.rows, shape.columns)
    return planes.transpose(1, 2, 0)


def _imagecodecs(name: str) -> Callable[[bytes, Shape], Any]:
    def read(data: bytes, shape: Shape) -> Any:
        del shape
        import imagecodecs

        return getattr(imagecodecs, f"{name}_decode")(data)

    return read


def _libjpeg(data: bytes, shape: Shape) -> Any:
    from libjpeg.utils import decode

    return decode(data, 0) if shape.samples > 1 else decode(data)


def _openjpeg(data: bytes, shape: Shape) -> Any:
    del shape
    from openjpeg.utils import decode

    return decode(data)


def _pyjpegls(data: bytes, shape: Shape) -> Any:
    del shape
    import jpeg_ls

    return jpeg_ls.decode(np.frombuffer(data, np.uint8))


def _pillow(data: bytes, shape: Shape) -> Any:
    from PIL import Image

    if shape.bits_stored not in {8, 16}:
        raise Unsupported  # it scales them to 16
    with Image.open(io.BytesIO(data), formats=["JPEG2000"]) as image:
        return np.asarray(image)


_OPENJPEG = (
    Decoder("imagecodecs", "imagecodecs", "OpenJPEG", _imagecodecs("jpeg2k")),
    Decoder("pylibjpeg-openjpeg", "openjpeg", "OpenJPEG", _openjpeg),
    Decoder("Pillow", "PIL", "OpenJPEG", _pillow),
)
_PYLIBJPEG = Decoder("pylibjpeg-libjpeg", "libjpeg", "libjpeg", _libjpeg)
_JPEG_8 = (
    Decoder("libjpeg-turbo", "PIL", "libjpeg-turbo", _turbo),
    Decoder("zune-jpeg", "kornia_rs", "zune-jpeg", _zune),
)
_JPEG_12 = (Decoder("imagecodecs", "imagecodecs", "libjpeg-turbo", _imagecodecs("jpeg8")), _PYLIBJPEG)
_DECODERS = {
    **dict.fromkeys(
        _LOSSLESS_JPEG,
        (
            Decoder("libjpeg-turbo", "kornia_rs", "libjpeg-turbo of kornia", _turbo_lossless),
            Decoder("imagecodecs (jpegsof3)", "imagecodecs", "jpegsof3", _imagecodecs("jpegsof3")),
            _PYLIBJPEG,
            Decoder("imagecodecs (libjpeg-turbo)", "imagecodecs", "libjpeg-turbo", _imagecodecs("jpeg8")),
        ),
    ),
    **dict.fromkeys(
        _JPEG_LS,
        (
            Decoder("imagecodecs", "imagecodecs", "CharLS", _imagecodecs("jpegls")),
            Decoder("pyjpegls", "jpeg_ls", "CharLS", _pyjpegls),
            _PYLIBJPEG,
        ),
    ),
    **dict.fromkeys(_J2K, _OPENJPEG),
    **dict.fromkeys(
        _HTJ2K, (*_OPENJPEG[:2], Decoder("imagecodecs (OpenJPH)", "imagecodecs", "OpenJPH", _imagecodecs("htj2k")))
    ),
    _RLE: (
        Decoder("imagecodecs", "imagecodecs", "imagecodecs", _imagecodecs_rle),
        Decoder("pydicom", "pydicom", "pydicom", _pydicom),
    ),
}


def installed(transfer_syntax_uid: str, shape: Shape) -> tuple[Decoder, ...]:
    """Return the decoders to try, the second of another library than the first if there is one.

    Parameters
    ----------
    transfer_syntax_uid
        One that is not here has none.
    shape
        Streams of 8 and 12 bits have different ones.
    """
    known = _DECODERS.get(transfer_syntax_uid, ())
    if transfer_syntax_uid in JPEG:
        known = _JPEG_8 if shape.bits_stored == 8 else _JPEG_12
    found = [decoder for decoder in known if _is_there(decoder.package)]
    first = found[:1]
    return (*first, *sorted(found[1:], key=lambda decoder: decoder.library == first[0].library))


@cache
def _is_there(package: str) -> bool:
    return find_spec(package) is not None


def bare(data: bytes) -> bytes:
    """Return a JPEG of three components under a mark that says RGB, so that decoders leave them as they are."""
    stripped = jpeg_stream.parse(data, "the stream").without_metadata(data, keep_adobe=False)
    return stripped[:2] + _RGB_BY_ADOBE + stripped[2:]


def sampling(data: bytes) -> tuple[tuple[int, int], ...]:
    """Return the horizontal and vertical sampling factors of a JPEG's components."""
    position = 2
    while not _START_OF_FRAME.match(data, position):
        if data[position + 1] == 0xFF:
            position += 1
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    factors = data[position + 11 : position + 10 + 3 * data[position + 9] : 3]
    return tuple((factor >> 4, factor & 15) for factor in factors)


def _usual(factors: tuple[tuple[int, int], ...]) -> bool:
    """Whether zune-jpeg is to be trusted with these: powers of two, the first component the finest."""
    return all(h in {1, 2, 4} and v in {1, 2, 4} and h <= factors[0][0] and v <= factors[0][1] for h, v in factors)
