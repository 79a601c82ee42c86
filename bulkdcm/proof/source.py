"""The pixels of a source once more, by another decoder than the one that converted them.

kornia-rs converts PNG of whole bytes, so Pillow decodes it here, and Pillow's PNGs our own decoder. JPEG is decoded twice,
by the library that converts, which must give the same, and by Pillow's, which may differ a little. What Pillow alone reads
(BMP, TIFF, WebP, GIF, animated PNG; without kornia-rs JPEG, too) is decoded by it again, and it is said.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bulkdcm.images import decoders
from bulkdcm.proof import jpeg, png, policy
from bulkdcm.proof.policy import Unproven

if TYPE_CHECKING:
    from bulkdcm.setting_parts import PixelSettings

BY_PILLOW, BY_OUR_OWN, BY_IMAGECODECS = "Pillow", "our own PNG decoder", "imagecodecs"
BY_THE_SAME = "Pillow, which converted them too"
_TIFF_PHOTOMETRIC = 262


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The frames of a source, transparency laid on its background, upright; colour as it is.

    Attributes
    ----------
    frames
        Each of shape ``(rows, columns)`` or ``(rows, columns, 3)``, dtype uint8 or uint16.
    by
        The decoder.
    others
        The same by a decoder that may differ by `apart` levels; empty if there is none.
    apart
        Of a sample.
    """

    frames: list[Any]
    by: str
    others: tuple[Any, ...] = ()
    apart: int = 0


def is_jpeg(data: bytes) -> bool:
    """Whether a source is a JPEG."""
    return data.startswith(b"\xff\xd8\xff")


def seen(data: bytes, settings: PixelSettings) -> Seen:
    """Return the pixels of a source.

    Parameters
    ----------
    data
        The file.
    settings
        That it was converted with.

    Raises
    ------
    Unproven
        If no decoder here has them.
    """
    try:
        with warnings.catch_warnings():  # of what stands beside the pixels
            warnings.simplefilter("ignore")
            if data.startswith(b"\x89PNG"):
                return _png(data, settings)
            return _jpeg(data) if is_jpeg(data) else _by_pillow(data, settings)
    except (Unproven, MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        msg = f"the second decoder refuses the source: {error}"
        raise Unproven(msg) from error


def _png(data: bytes, settings: PixelSettings) -> Seen:
    parts = png.parts(data)
    if int.from_bytes(parts.chunks.get(b"acTL", b"")[:4], "big") > 1:
        return _by_pillow(data, settings)
    pixels, by = _png_samples(data, parts)
    opacity = pixels[..., -1] if pixels.ndim == 3 and pixels.shape[2] in {2, 4} else None
    if parts.color_type == png.PALETTE:
        pixels, opacity = _from_palette(pixels, parts)
    elif pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., :3]
    key = parts.chunks.get(b"tRNS", b"")
    if key and parts.color_type in {png.GRAY, png.RGB}:
        values = tuple(int.from_bytes(key[at : at + 2], "big") & (2**parts.depth - 1) for at in range(0, len(key), 2))
        opacity = policy.keyed(pixels, values)
    if parts.color_type == png.GRAY and parts.depth < 8:
        pixels = pixels * np.uint8(255 // (2**parts.depth - 1))
    laid = policy.flattened(pixels, opacity, settings.background)
    return Seen(frames=[policy.turned(laid, policy.orientation_of(parts.chunks.get(b"eXIf", b"")))], by=by)


def _png_samples(data: bytes, parts: png.Parts) -> tuple[Any, str]:
    """Return samples as they stand in the file, by another decoder than the converter's."""
    plain = parts.depth == 8 and parts.color_type in {png.GRAY, png.RGB, png.RGB_ALPHA}
    if decoders.DECODES_PNG != BY_PILLOW and (plain or (parts.depth, parts.color_type) == (16, png.GRAY)):
        # Pillow refuses what stands beside the pixels, such as long texts.
        with contextlib.suppress(OSError, ValueError), Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            found = np.asarray(image)
            return (found if plain else found.astype(np.uint16)), BY_PILLOW
    if (plain or parts.depth == 16) and (found := _by_imagecodecs(data, parts)) is not None:
        return found, BY_IMAGECODECS
    found = png.samples(parts)
    return (found[..., 0] if found.shape[2] == 1 else found), BY_OUR_OWN


def _by_imagecodecs(data: bytes, parts: png.Parts) -> Any:
    """Return samples by libpng, in a hundredth of our own decoder's time; None if it isn't installed."""
    try:
        import imagecodecs  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    if b"tRNS" in parts.chunks or parts.interlaced:
        return None  # it makes an alpha of the one, and warns of the other
    return imagecodecs.png_decode(data)


def _from_palette(indices: Any, parts: png.Parts) -> tuple[Any, Any]:
    palette = parts.chunks[b"PLTE"]
    colors = np.frombuffer(palette, np.uint8, len(palette) // 3 * 3).reshape(-1, 3)
    key = parts.chunks.get(b"tRNS")
    if key is None:
        return colors[indices], None
    return colors[indices], np.frombuffer(key[:256].ljust(256, b"\xff"), np.uint8)[indices]


def _jpeg(data: bytes) -> Seen:
    found = jpeg.read(data)
    data = found.with_its_height(data)
    if found.components == 4:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            pixels = policy.rgb_of_cmyk(np.asarray(image.convert("CMYK")))
        return Seen(frames=[policy.turned(pixels, found.orientation)], by=BY_THE_SAME)
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        other = np.asarray(image if image.mode in {"L", "RGB"} else image.convert("RGB"))
    pixels = jpeg.by_the_same(data, found)
    upright = [policy.turned(each, found.orientation) for each in (other if pixels is None else pixels, other)]
    by = "libjpeg-turbo (the same pixels)" if pixels is not None else "libjpeg-turbo of Pillow"
    if decoders.DECODES_JPEG == BY_PILLOW:
        return Seen(frames=upright[:1], by=BY_THE_SAME)
    return Seen(frames=upright[:1], by=by, others=(upright[1],), apart=jpeg.bound(found))


def _by_pillow(data: bytes, settings: PixelSettings) -> Seen:
    frames = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(int(getattr(image, "n_frames", 1))):
            image.seek(number)
            pixels, opacity = _of_mode(image)
            laid = policy.flattened(pixels, opacity, settings.background)
            # Pillow turns a TIFF by itself.
            orientation = 1 if image.format == "TIFF" else int(image.getexif().get(0x0112, 1))
            frames.append(policy.turned(laid, orientation if 1 <= orientation <= 8 else 1))
    return Seen(frames=frames, by=BY_THE_SAME)


def _of_mode(image: Image.Image) -> tuple[Any, Any]:
    """Return pixels and opacity of a frame."""
    mode, key = image.mode, image.info.get("transparency")
    if mode == "P":
        converted = np.asarray(image.convert("RGB" if key is None else "RGBA"))
        return converted[..., :3], None if key is None else converted[..., 3]
    if mode == "CMYK":
        return policy.rgb_of_cmyk(np.asarray(image)), None
    samples = np.asarray(image)
    if mode.startswith("I;16"):
        tags: Any = getattr(image, "tag_v2", {})
        deep = samples.astype(np.uint16)
        return (policy.inverted(deep, 16) if tags.get(_TIFF_PHOTOMETRIC) == 0 else deep), None
    if mode == "1":
        samples = np.where(samples, 255, 0).astype(np.uint8)
    if mode in {"LA", "RGBA"}:
        return (samples[..., 0] if mode == "LA" else samples[..., :3]), samples[..., -1]
    if mode in {"L", "1"} and isinstance(key, int):
        return samples, policy.keyed(samples, (key,))
    return samples, None
