"""BMP, TIFF, WebP and GIF through Pillow, where it reads them exactly; else refused."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import (
    alpha,
    bmp_header,
    exif,
    failures,
    gif_blocks,
    limits,
    native,
    riff_chunks,
    tiff_pages,
    tiff_strips,
)
from bulkdcm.model import Lossy

if TYPE_CHECKING:
    from bulkdcm.model import IOD, Frame, Pixels, Source
    from bulkdcm.setting_parts import PixelSettings

MORE_FRAMES = "Give the row sop_class SC-BYTE, SC-WORD or SC-COLOR for all of them, or export the one you want as a PNG of its own."
_FORMATS = ("BMP", "TIFF", "WEBP", "GIF", "PNG")  # PNG: animated ones only
_SAMPLE_FORMAT = 339
_EXACT_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "I;16L", "I;16N"}
_TIFF_JPEG = {6, 7}
_TIFF_WHITE_IS_ZERO = 0


def read(source: Source, settings: PixelSettings, iod: IOD) -> Frame:
    """Return the frame of a BMP, TIFF, WebP or GIF file.

    Parameters
    ----------
    source
        The file.
    settings
        Background, colour policy and limits.
    iod
        Whether it takes several frames.

    Raises
    ------
    PixelError
        If the file is damaged, has several frames and the class has none, or a pixel type that can't be read exactly.
    """
    file = _walked(source)
    what = f"{source.path}: the image can't be decoded"
    with (
        failures.decoding(what, "Fetch the file again, or export it as PNG.", _most_bytes(file, settings)),
        Image.open(io.BytesIO(source.data), formats=_FORMATS) as image,
    ):
        count = _count(source, settings, image, iod, file)
        return _frame(source, settings, image, file) if count == 1 else _frames(source, settings, image, file)


class _File(NamedTuple):
    """What is known of a file before it is decoded.

    Attributes
    ----------
    sizes
        Rows and columns of each frame; empty where the decoder says it.
    said
        What is to be known of it.
    lossy
        Whether its pixels were compressed with loss.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    said: str = ""
    lossy: bool = False


def _walked(source: Source) -> _File:
    """Return what a file's own structure says; refuse one that is cut off."""
    data = source.data
    if data.startswith(b"GIF"):
        gif = gif_blocks.walk(data, source.path)
        return _File(sizes=((gif.rows, gif.columns),) * len(gif.frames), said=gif.said)
    if data.startswith(b"RIFF"):
        return _File(lossy=b"VP8 " in riff_chunks.walk(data, source.path))
    if data.startswith(b"BM"):
        bmp_header.check(data, source.path)
    if data.startswith((b"II", b"MM")):
        return _File(sizes=tuple((rows, columns) for columns, rows in tiff_pages.walk(data, source.path)))
    return _File()


def _most_bytes(file: _File, settings: PixelSettings) -> int:
    """Return the size of the largest frame's pixels; what is over the limit is never decoded."""
    sizes = [rows * columns for rows, columns in file.sizes]
    return 4 * max((size for size in sizes if size <= settings.max_pixels), default=0)


def _count(source: Source, settings: PixelSettings, image: Image.Image, iod: IOD, file: _File) -> int:
    """Return the number of frames; refuse those that are too many, or too large."""
    size, bands, bits = (image.height, image.width), len(image.getbands()), 16 if "16" in image.mode else 8
    limits.check(source.path, size, bands, bits, settings)
    count = len(file.sizes) or int(getattr(image, "n_frames", 1))
    if count > 1 and not iod.multi_frame:
        msg = f"{source.path}: {image.format} with {count} frames. {MORE_FRAMES}"
        raise PixelError(msg)
    if count > 1:
        for page in {size, *file.sizes}:  # the largest frame decides
            limits.check(source.path, (*page, count), bands, bits, settings)
    return count


def _frames(source: Source, settings: PixelSettings, image: Image.Image, file: _File) -> Frame:
    """Return all frames of the file; colour is gray only where every frame is."""
    kept = settings.changed(keep_color=True, gray_tolerance=0)
    found = []
    for index in range(len(file.sizes) or int(getattr(image, "n_frames", 1))):
        image.seek(index)
        found.append(_frame(source, kept, image, file))
    stacks = [frame.pixels for frame in found if frame.pixels is not None]
    if len({stack.dtype for stack in stacks}) > 1 or len({stack.shape[:2] for stack in stacks}) > 1:
        msg = f"{source.path}: its frames differ in size or depth: those of one object are alike (PS3.3 C.7.6.6). Split the file."
        raise PixelError(msg)
    weighted: list[str] = []
    if not settings.keep_color:
        collapsed = [alpha.collapse(stack, settings.gray_tolerance) for stack in stacks]
        if all(stack.ndim == 2 for stack, _ in collapsed):
            stacks = [stack for stack, _ in collapsed]
            weighted = sorted({said for _, said in collapsed if said})
    if len({stack.ndim for stack in stacks}) > 1:  # a GIF's first frame may be gray and a later one not
        stacks = [np.repeat(stack[:, :, None], 3, axis=2) if stack.ndim == 2 else stack for stack in stacks]
    pixels = np.stack(stacks)
    return replace(
        found[0],
        pixels=pixels,
        samples_per_pixel=3 if pixels.ndim == 4 else 1,
        photometric_interpretation="RGB" if pixels.ndim == 4 else "MONOCHROME2",
        bits_stored=max(frame.bits_stored for frame in found),
        number_of_frames=len(stacks),
        derivations=tuple(weighted),
        decisions=tuple(dict.fromkeys([*(said for frame in found for said in frame.decisions), *weighted])),
    )


def _frame(source: Source, settings: PixelSettings, image: Image.Image, file: _File) -> Frame:
    palette = "palette expanded" if image.mode == "P" else ""
    tags: Any = getattr(image, "tag_v2", {})
    across, down = exif.densities(tags)
    facts = native.FileFacts(
        # Pillow turns a TIFF by itself.
        orientation=image.getexif().get(exif.ORIENTATION, 1) if image.format != "TIFF" else 1,
        icc_profile=image.info.get("icc_profile") or b"",
        lossy=_lossy(source, image, file),
        across=across,
        down=down,
        bits=_declared_bits(image),
    )
    decoded = f"decoded: {image.format}"
    pixels, opacity = _decode(source, settings, image)
    about_alpha = ""
    if opacity is not None:
        pixels, about_alpha = alpha.flatten(pixels, opacity, settings.background, source.path)
    return native.frame_of(pixels, facts, settings, (decoded, file.said, palette, about_alpha))


def _decode(source: Source, settings: PixelSettings, image: Image.Image) -> tuple[Pixels, Pixels | None]:
    _refuse_inexact(source, image)
    mode = image.mode
    if mode == "CMYK":
        if not settings.convert_cmyk:
            msg = f"{source.path}: CMYK has no place in DICOM. Give --convert-cmyk, or export it as RGB."
            raise PixelError(msg)
        return np.asarray(image.convert("RGB")), None
    if mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.uint16)
        tags: Any = getattr(image, "tag_v2", {})
        # Pillow turns 8-bit white-is-zero around, but not 16-bit.
        return (65535 - pixels if tags.get(tiff_strips.PHOTOMETRIC) == _TIFF_WHITE_IS_ZERO else pixels), None
    if mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif mode in {"1", "L"} and "transparency" in image.info:
        image = image.convert("LA")
    elif mode == "1":
        image = image.convert("L")
    samples = np.asarray(image)
    if image.mode in {"LA", "RGBA"}:
        color = samples[:, :, 0] if image.mode == "LA" else samples[:, :, :3]
        return np.ascontiguousarray(color), np.ascontiguousarray(samples[:, :, -1])
    return samples, None


def _declared_bits(image: Image.Image) -> int:
    tags: Any = getattr(image, "tag_v2", {})
    return int(max(tags.get(tiff_strips.BITS_PER_SAMPLE, (0,)), default=0))


def _refuse_inexact(source: Source, image: Image.Image) -> None:
    tags: Any = getattr(image, "tag_v2", {})
    if tags:
        tiff_strips.check(tags, source.data, source.path)
    deep = max(tags.get(tiff_strips.BITS_PER_SAMPLE, (8,)), default=8) > 8 and not image.mode.startswith("I;16")
    signed = any(kind != 1 for kind in tags.get(_SAMPLE_FORMAT, (1,)))
    if deep or signed or image.mode not in _EXACT_MODES:
        msg = f"{source.path}: {image.format} of pixel type {image.mode} can't be read exactly. Export it as 8- or 16-bit PNG."
        raise PixelError(msg)


def _lossy(source: Source, image: Image.Image, file: _File) -> tuple[Lossy, ...]:
    tags: Any = getattr(image, "tag_v2", {})
    ratio = image.width * image.height * len(image.getbands()) / len(source.data)
    if image.format == "TIFF" and tags.get(tiff_strips.COMPRESSION) in _TIFF_JPEG:
        return (Lossy(ratio=ratio, method="ISO_10918_1"),)
    if file.lossy:
        return (Lossy(ratio=ratio),)  # the Standard has no term for WebP's method
    return ()
