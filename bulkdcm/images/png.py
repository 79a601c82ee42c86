"""PNG of every colour type and depth, exactly.

`decoders` has gray, RGB and RGBA of 8 and 16 bits; Pillow decodes the rest (1, 2, 4 bits, palettes, 8-bit gray with alpha). Gray with alpha of 16 bits has the bytes of RGBA of 8 bits, so it is
decoded under that name.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import alpha, decoders, density, exif, failures, limits, native, pillow, png_chunks
from bulkdcm.images.png_chunks import GRAY, GRAY_ALPHA, PALETTE, RGB, RGB_ALPHA

if TYPE_CHECKING:
    from bulkdcm.images.png_chunks import PngHeader
    from bulkdcm.model import IOD, Frame, Pixels, Source
    from bulkdcm.setting_parts import PixelSettings

_MODES = {GRAY: "mono", RGB: "rgb", RGB_ALPHA: "rgba"}
_IHDR_END = 33
# Code points of ITU-T H.273: primaries that are BT.709's or not said, and transfers beyond what a screen shows.
_OF_SRGB, _PRIMARIES = {1, 2}, {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
_HIGH_DYNAMIC_RANGE = {16: "PQ", 18: "HLG"}
_KEY_BYTES = {GRAY: 2, RGB: 6}  # of a transparent colour


def read(source: Source, settings: PixelSettings, iod: IOD) -> Frame:
    """Return the frame of a PNG file.

    Parameters
    ----------
    source
        Its data begins with the PNG signature.
    settings
        Background, colour policy and limits.
    iod
        Whether it takes several frames.

    Raises
    ------
    PixelError
        If the file is damaged, too large, animated, or transparent without a background.
    """
    header = png_chunks.parse(source.data, source.path)
    _check_color(header, source.path)
    _check_light(header, source.path)
    limits.check(
        source.path, (header.rows, header.columns), png_chunks.SAMPLES[header.color_type], header.bit_depth, settings
    )
    if int.from_bytes(header.chunks.get(b"acTL", b"")[:4], "big") > 1:
        if iod.multi_frame and header.bit_depth <= 8:
            return pillow.read(replace(source, data=png_chunks.bare(source.data)), settings, iod)
        msg = f"{source.path}: an animated PNG has several frames. {pillow.MORE_FRAMES}"
        raise PixelError(msg)
    data = png_chunks.inflated(source.data, header, source.path)
    size_bytes = header.scanline_bytes()
    with failures.decoding(
        f"{source.path}: the PNG can't be decoded", "Fetch the file again, or export it anew.", size_bytes
    ):
        pixels, opacity = _decode(data, header, source.path)
    return _frame(source, settings, header, pixels, opacity)


def _frame(source: Source, settings: PixelSettings, header: PngHeader, pixels: Pixels, opacity: Pixels | None) -> Frame:
    about_alpha = ""
    if opacity is not None:
        pixels, about_alpha = alpha.flatten(pixels, opacity, settings.background, source.path)
    across, down = density.of_png(header.chunks.get(b"pHYs", b""))
    facts = native.FileFacts(
        orientation=exif.geometry(header.chunks.get(b"eXIf", b"")).orientation,
        icc_profile=header.icc_profile(),
        across=across,
        down=down,
        bits=header.significant_bits(),
    )
    palette = "palette expanded" if header.color_type == PALETTE else ""
    scaled = (
        f"{header.bit_depth}-bit gray scaled to 8 bits" if header.color_type == GRAY and header.bit_depth < 8 else ""
    )
    return native.frame_of(pixels, facts, settings, (scaled, palette, about_alpha, header.left_out()))


def _check_color(header: PngHeader, source: str) -> None:
    """Refuse a palette or transparent colour that is not one of the Standard's."""
    palette, transparent = header.chunks.get(b"PLTE", b""), header.chunks.get(b"tRNS")
    wrong = ""
    if header.color_type == PALETTE and (not palette or len(palette) % 3):
        wrong = f"palette has {len(palette)} bytes"
    elif transparent is not None and len(transparent) != _KEY_BYTES.get(header.color_type, len(transparent)):
        wrong = f"transparent colour (tRNS) has {len(transparent)} bytes"
    if wrong:
        msg = f"{source}: the PNG can't be decoded: its {wrong} (ISO/IEC 15948 11). Export the image again."
        raise PixelError(msg)


def _check_light(header: PngHeader, source: str) -> None:
    """Refuse colours whose meaning a DICOM object can't carry, and that would look wrong without it (ISO/IEC 15948 11.3.2.6)."""
    payload = header.chunks.get(b"cICP", b"")
    if len(payload) != 4 or header.color_type in {GRAY, GRAY_ALPHA}:
        return
    primaries, transfer, _, _ = payload
    if transfer in _HIGH_DYNAMIC_RANGE:
        what = f"its light is {_HIGH_DYNAMIC_RANGE[transfer]}, high dynamic range"
    elif primaries not in _OF_SRGB and not header.icc_profile():
        what = f"its colours are those of {_PRIMARIES.get(primaries, f'primaries {primaries}')} and no ICC profile describes them"
    else:
        return
    msg = f"{source}: {what} (cICP), for which DICOM has no place. Export it as sRGB, or with an ICC profile."
    raise PixelError(msg)


def _decode(data: bytes, header: PngHeader, path: str) -> tuple[Pixels, Pixels | None]:
    """Return pixels and opacity (None where the image has none)."""
    transparent = header.chunks.get(b"tRNS")
    if header.color_type == PALETTE:
        return _palette(data, header, path, has_alpha=transparent is not None)
    if header.color_type == GRAY_ALPHA:
        samples = _gray_alpha(data, header)
        return np.ascontiguousarray(samples[:, :, 0]), np.ascontiguousarray(samples[:, :, 1])
    if header.bit_depth < 8:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = np.asarray(image.convert("L"))
        return pixels, _keyed(pixels, transparent, header.bit_depth)
    decoded = decoders.png(data, (header.rows, header.columns), header.bit_depth, _MODES[header.color_type])
    if header.color_type != RGB_ALPHA:
        return decoded, _keyed(decoded, transparent, header.bit_depth)
    return np.ascontiguousarray(decoded[:, :, :3]), np.ascontiguousarray(decoded[:, :, 3])


def _palette(data: bytes, header: PngHeader, path: str, *, has_alpha: bool) -> tuple[Pixels, Pixels | None]:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        highest = int(np.asarray(image).max())
        if highest >= len(header.chunks[b"PLTE"]) // 3:
            msg = f"{path}: the PNG can't be decoded: its palette has no color {highest}. Export the image again."
            raise PixelError(msg)
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
    samples: Pixels = decoders.png(bytes(renamed), (header.rows, header.columns), 8, "rgba")
    return samples.view(">u2").astype(np.uint16)


def _keyed(pixels: Pixels, transparent: bytes | None, bit_depth: int) -> Pixels | None:
    """Return the opacity that a transparent colour (tRNS) gives, or None without one."""
    if not transparent:
        return None
    top = 2**bit_depth - 1
    # Bits above the depth say nothing (ISO/IEC 15948 11.3.1.1); fewer than 8 bits are scaled as the pixels are.
    key = (np.frombuffer(transparent, dtype=">u2").astype(np.uint32) & top) * (255 // top if bit_depth < 8 else 1)
    same = pixels == key[0] if pixels.ndim == 2 else (pixels == key[:3]).all(axis=2)
    top = np.iinfo(pixels.dtype).max
    return np.where(same, 0, top).astype(pixels.dtype)
