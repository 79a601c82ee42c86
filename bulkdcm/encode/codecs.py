"""Pixels to compressed streams: one entry in `CODECS` a transfer syntax.

imagecodecs does the work (the extra ``codecs``): one package has every codec, and wheels for every system. Pillow, which is
there anyway, writes baseline JPEG.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bulkdcm.errors import EncodeError, SettingsError
from bulkdcm.model import Lossy

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.model import Frame, PixelKind, Pixels
    from bulkdcm.setting_parts import PixelSettings

_ALL: frozenset[PixelKind] = frozenset({"gray8", "gray16", "rgb8", "rgb16"})
_COD = b"\xff\x52"


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One compressed transfer syntax.

    Attributes
    ----------
    transfer_syntax_uid
        Of PS3.5 annex A.4.
    encode
        Pixels of one frame, how many bits of a sample are stored, and a quality where it is lossy, to its stream.
    photometric_interpretation
        What colour is called then, from the stream (PS3.5 8.2).
    kinds
        The pixels it takes.
    package
        Module that does it.
    any_bits
        Whether its streams may have fewer bits a sample than are allocated, as Bits Stored then says (PS3.5 8.2).
    method
        Defined Term of Lossy Image Compression Method; empty where nothing is lost.
    """

    transfer_syntax_uid: str
    encode: Callable[[Pixels, int, int], bytes]
    photometric_interpretation: Callable[[bytes], str] = lambda _: "RGB"
    kinds: frozenset[PixelKind] = _ALL
    package: str = "imagecodecs"
    any_bits: bool = True
    method: str = ""


def _rle(pixels: Pixels, bits: int, quality: int) -> bytes:
    import imagecodecs

    del bits, quality
    # PS3.5 G: a segment for each byte of a sample, the highest first; each line is packed by itself.
    planes = pixels.reshape(*pixels.shape[:2], -1).astype(pixels.dtype.newbyteorder(">"))
    as_bytes = planes.view(np.uint8).reshape(*pixels.shape[:2], -1)
    segments = [bytes(imagecodecs.packbits_encode(as_bytes[..., i], axis=-1)) for i in range(as_bytes.shape[2])]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    offsets = [64 + sum(map(len, segments[:i])) for i in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def _jpeg_lossless(pixels: Pixels, bits: int, quality: int) -> bytes:
    import imagecodecs

    del quality
    return bytes(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=bits))


def _jpeg_ls(pixels: Pixels, bits: int, quality: int) -> bytes:
    import imagecodecs

    del bits, quality
    return bytes(imagecodecs.jpegls_encode(pixels))


def _j2k(pixels: Pixels, bits: int, quality: int) -> bytes:
    import imagecodecs

    del quality
    return bytes(
        imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True, level=0, bitspersample=bits, numthreads=1)
    )


def _htj2k(pixels: Pixels, bits: int, quality: int) -> bytes:
    import imagecodecs

    del bits, quality
    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))


def _jpeg_baseline(pixels: Pixels, bits: int, quality: int) -> bytes:
    del bits
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:2")
    return buffer.getvalue()


def _by_component_transform(stream: bytes) -> str:
    """Return what colour is called in a JPEG 2000 codestream: its COD segment says whether it was transformed."""
    transformed = stream[stream.index(_COD) + 8]
    return "YBR_RCT" if transformed else "RGB"


CODECS: dict[str, Codec] = {
    "rle": Codec(transfer_syntax_uid="1.2.840.10008.1.2.5", encode=_rle),
    "jpeg-lossless": Codec(
        transfer_syntax_uid="1.2.840.10008.1.2.4.70", encode=_jpeg_lossless, kinds=_ALL - {"rgb16"}
    ),  # deep colour in it is read by nobody
    "jpeg-ls": Codec(transfer_syntax_uid="1.2.840.10008.1.2.4.80", encode=_jpeg_ls, any_bits=False),
    "j2k-lossless": Codec(
        transfer_syntax_uid="1.2.840.10008.1.2.4.90", encode=_j2k, photometric_interpretation=_by_component_transform
    ),
    "htj2k-lossless": Codec(
        transfer_syntax_uid="1.2.840.10008.1.2.4.201",
        encode=_htj2k,
        any_bits=False,
        photometric_interpretation=_by_component_transform,
    ),
    "jpeg-baseline": Codec(
        transfer_syntax_uid="1.2.840.10008.1.2.4.50",
        encode=_jpeg_baseline,
        photometric_interpretation=lambda _: "YBR_FULL_422",
        kinds=frozenset({"gray8", "rgb8"}),
        package="PIL",
        method="ISO_10918_1",
    ),
}


def check_codec(settings: PixelSettings) -> None:
    """Refuse a transfer syntax whose encoder is not installed.

    Raises
    ------
    SettingsError
        With the extra to install.
    """
    codec = CODECS.get(settings.compression)
    if codec and find_spec(codec.package) is None:
        msg = f"--transfer-syntax {settings.transfer_syntax} needs {codec.package}: pip install 'bulkdcm[codecs]'."
        raise SettingsError(msg)


def compress(frame: Frame, settings: PixelSettings) -> Frame:
    """Return the frame with its pixels compressed as the settings ask; as it is where they don't, or where it has streams.

    Raises
    ------
    EncodeError
        If the transfer syntax has no place for such pixels.
    """
    codec = CODECS.get(settings.compression)
    if codec is None or frame.pixels is None:
        return frame
    if frame.kind not in codec.kinds:
        takes = ", ".join(sorted(codec.kinds))
        msg = (
            f"{frame.kind} pixels can't be {settings.compression}, which takes {takes}. Use another --transfer-syntax."
        )
        raise EncodeError(msg)
    images: Any = frame.pixels if frame.number_of_frames else frame.pixels[np.newaxis]
    bits = frame.bits_stored if codec.any_bits else frame.bits_allocated
    streams = tuple(codec.encode(np.ascontiguousarray(image), bits, settings.quality) for image in images)
    lossy = Lossy(ratio=frame.pixels.nbytes / sum(map(len, streams)), method=codec.method)
    color = frame.samples_per_pixel == 3
    return replace(
        frame,
        pixels=None,
        streams=streams,
        bits_stored=bits,
        transfer_syntax_uid=codec.transfer_syntax_uid,
        photometric_interpretation=codec.photometric_interpretation(streams[0])
        if color
        else frame.photometric_interpretation,
        lossy=(*frame.lossy, lossy) if codec.method else frame.lossy,
        decisions=(*frame.decisions, f"compressed: {settings.transfer_syntax}"),
    )
