"""PNG of every colour type and depth, exactly.

kornia-rs decodes gray, RGB and RGBA of 8 and 16 bits; Pillow, which cuts 16-bit colour to 8, decodes the rest
(1, 2, 4 bits, palettes, 8-bit gray with alpha). Gray with alpha of 16 bits has the bytes of RGBA of 8 bits, so it is
decoded under that name.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from kornia_rs.io import decode_image_png_u8, decode_image_png_u16
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import alpha, icc, limits, orientation, png_chunks
from bulkdcm.images.png_chunks import GRAY, GRAY_ALPHA, PALETTE, RGB, RGB_ALPHA
from bulkdcm.model import Frame

if TYPE_CHECKING:
    from bulkdcm.images.png_chunks import PngHeader
    from bulkdcm.model import IOD, Pixels, Source
    from bulkdcm.settings import Settings

_MODES = {GRAY: "mono", RGB: "rgb", RGB_ALPHA: "rgba"}
_IHDR_END = 33


def read(source: Source, settings: Settings, iod: IOD) -> Frame:
    """Return the frame of a PNG file.

    Parameters
    ----------
    source
        Its data begins with the PNG signature.
    settings
        Background, colour policy and limits.
    iod
        Not asked: every class takes native pixels.

    Raises
    ------
    PixelError
        Where the file is damaged, too large, animated, or transparent without a background.
    """
    del iod
    header = png_chunks.parse(source.data, source.path)
    limits.check(
        source.path, (header.rows, header.columns), png_chunks.SAMPLES[header.color_type], header.bit_depth, settings
    )
    if int.from_bytes(header.chunks.get(b"acTL", b"")[:4], "big") > 1:
        msg = f"{source.path}: an animated PNG has several frames. Export the frame you want as a PNG of its own."
        raise PixelError(msg)
    try:
        pixels, opacity = _decode(source.data, header)
    except PixelError:
        raise
    except BaseException as error:  # a panic of the Rust decoder is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        msg = f"{source.path}: the PNG can't be decoded: {error}. Fetch the file again, or export it anew."
        raise PixelError(msg) from error
    return _frame(source, settings, header, pixels, opacity)


def _frame(source: Source, settings: Settings, header: PngHeader, pixels: Pixels, opacity: Pixels | None) -> Frame:
    about_alpha = ""
    if opacity is not None:
        pixels, about_alpha = alpha.flatten(pixels, opacity, settings.background, source.path)
    pixels, turned = orientation.turn(pixels, orientation.orientation_of(header.chunks.get(b"eXIf", b"")))
    palette = "palette expanded" if header.color_type == PALETTE else ""
    gray = pixels if settings.keep_color else alpha.collapse(pixels)
    profile, about_profile = icc.input_profile(header.icc_profile()) if gray.ndim == 3 else (b"", "")
    collapsed = alpha.COLLAPSED if gray.ndim < pixels.ndim else ""
    scaled = (
        f"{header.bit_depth}-bit gray scaled to 8 bits" if header.color_type == GRAY and header.bit_depth < 8 else ""
    )
    return Frame(
        rows=gray.shape[0],
        columns=gray.shape[1],
        samples_per_pixel=1 if gray.ndim == 2 else 3,
        bits_stored=16 if gray.dtype == np.uint16 else 8,
        photometric_interpretation="MONOCHROME2" if gray.ndim == 2 else "RGB",
        pixels=gray,
        icc_profile=profile,
        decisions=tuple(part for part in (scaled, palette, about_alpha, turned, collapsed, about_profile) if part),
    )


def _decode(data: bytes, header: PngHeader) -> tuple[Pixels, Pixels | None]:
    """Return pixels and opacity (None where the image has none)."""
    transparent = header.chunks.get(b"tRNS")
    if header.color_type == PALETTE:
        return _palette(data, has_alpha=transparent is not None)
    if header.color_type == GRAY_ALPHA:
        samples = _gray_alpha(data, header)
        return np.ascontiguousarray(samples[:, :, 0]), np.ascontiguousarray(samples[:, :, 1])
    if header.bit_depth < 8:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = np.asarray(image.convert("L"))
        return pixels, _keyed(pixels, transparent, 255 // (2**header.bit_depth - 1))
    decode = decode_image_png_u16 if header.bit_depth == 16 else decode_image_png_u8
    decoded: Any = decode(data, (header.rows, header.columns), _MODES[header.color_type])
    if header.color_type == GRAY:
        gray = decoded.reshape(header.rows, header.columns)
        return gray, _keyed(gray, transparent, 1)
    if header.color_type == RGB:
        return decoded, _keyed(decoded, transparent, 1)
    return np.ascontiguousarray(decoded[:, :, :3]), np.ascontiguousarray(decoded[:, :, 3])


def _palette(data: bytes, *, has_alpha: bool) -> tuple[Pixels, Pixels | None]:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        colors = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    if not has_alpha:
        return colors, None
    return np.ascontiguousarray(colors[:, :, :3]), np.ascontiguousarray(colors[:, :, 3])


def _gray_alpha(data: bytes, header: PngHeader) -> Pixels:
    """Return shape ``(rows, columns, 2)``."""
    if header.bit_depth == 8:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return np.asarray(image.convert("LA"))
    renamed = bytearray(data)
    renamed[24:26] = bytes((8, RGB_ALPHA))
    renamed[29:_IHDR_END] = zlib.crc32(renamed[12:29]).to_bytes(4, "big")
    samples: Any = decode_image_png_u8(bytes(renamed), (header.rows, header.columns), "rgba")
    return np.asarray(samples).view(">u2").astype(np.uint16)


def _keyed(pixels: Pixels, transparent: bytes | None, scale: int) -> Pixels | None:
    """Return the opacity that a transparent colour (tRNS) gives, or None without one."""
    if not transparent:
        return None
    key = np.frombuffer(transparent, dtype=">u2").astype(np.uint32) * scale
    same = pixels == key[0] if pixels.ndim == 2 else (pixels == key[:3]).all(axis=2)
    top = np.iinfo(pixels.dtype).max
    return np.where(same, 0, top).astype(pixels.dtype)
