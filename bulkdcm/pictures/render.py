"""A DICOM file's pixels as a viewer first shows them (PS3.3 C.11.1, C.11.2, C.7.6.3.1.2): rescaled, windowed, the right way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bulkdcm import dicom_file
from bulkdcm.validation import decoders
from bulkdcm.validation.pixels import shape_of

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

    from bulkdcm.validation.pixels import Shape

_WIDEST_ASPECT = 8


class NotShown(ValueError):  # noqa: N818  # no fault of anybody's
    """There is no picture, for the reason in its text."""


def shown(data: bytes, max_pixels: int) -> tuple[Image.Image, str]:
    """Return the middle frame of a DICOM file as a viewer shows it, and its window in words.

    Raises
    ------
    NotShown
        If it is too large, or no decoder for it is installed.
    """
    dataset = dicom_file.read(data, max_pixels)
    if "PixelData" not in dataset:
        msg = "it has no pixels"
        raise NotShown(msg)
    shape = shape_of(dataset)
    if shape.rows * shape.columns > max_pixels:
        msg = "too large for a small picture"
        raise NotShown(msg)
    pixels = _frame(dataset, shape)
    if shape.samples > 1:
        return _squared(Image.fromarray(pixels), dataset), ""
    table, said = _table(dataset, shape)
    return _squared(Image.fromarray(table[pixels]), dataset), said


def gray_or_color(image: Image.Image) -> Image.Image:
    """Return any image that Pillow opens in 8 bits; one of more is shown from its lowest value to its highest."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float64)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255 / max(high - low, 1))).astype(np.uint8))
    return image.convert("L" if image.mode in {"1", "L", "LA"} else "RGB")


def _frame(dataset: FileDataset, shape: Shape) -> Any:
    """Return the samples of the middle frame, shape (rows, columns[, 3]); colour as RGB of 8 bits."""
    number = shape.frames // 2
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    try:
        pixels = _by_pydicom(dataset, number)
    except (NotImplementedError, RuntimeError, AttributeError, ImportError, ValueError) as error:
        pixels = _by_ours(dataset, syntax, number, shape)
        if pixels is None:
            msg = "no decoder for its transfer syntax is installed: pip install 'bulkdcm[codecs]'"
            raise NotShown(msg) from error
    pixels = np.asarray(pixels).reshape(shape.rows, shape.columns, *([3] if shape.samples > 1 else []))
    if shape.samples > 1 and pixels.dtype != np.uint8:
        pixels = (pixels >> max(shape.bits_stored - 8, 0)).astype(np.uint8)
    return pixels


def _by_pydicom(dataset: FileDataset, number: int) -> Any:
    from pydicom.pixels.utils import pixel_array  # noqa: PLC0415  # only where pictures are made

    return pixel_array(dataset, index=number)


def _by_ours(dataset: FileDataset, syntax: str, number: int, shape: Shape) -> Any:
    """Return the samples by one of the decoders that verify has; None where none is installed."""
    from pydicom.encaps import generate_frames  # noqa: PLC0415  # as above

    streams = generate_frames(dataset.PixelData, number_of_frames=shape.frames)
    stream = next(data for place, data in enumerate(streams) if place == number)
    for decoder in decoders.installed(syntax, shape):
        try:
            return decoder.read(stream, shape)
        except decoders.Unsupported:
            continue
    return None


def _table(dataset: FileDataset, shape: Shape) -> tuple[Any, str]:
    """Return what is shown of each stored value, dtype uint8, and the window in words."""
    stored = np.arange(2**shape.bits_allocated, dtype=np.float64)
    slope, intercept = (_number(dataset, f"Rescale{name}", usual) for name, usual in (("Slope", 1), ("Intercept", 0)))
    values = stored * slope + intercept
    center, width = (_number(dataset, f"Window{name}", None) for name in ("Center", "Width"))
    if center is None or width is None or width < 1:
        low, high = intercept, (2**shape.bits_stored - 1) * slope + intercept
        said = "" if shape.bits_stored == 8 else "no window"
    else:  # PS3.3 C.11.2.1.2.1
        low = center - 0.5 - (width - 1) / 2
        high = low + max(width - 1, 0)
        said = f"window {center:g} / {width:g}"
    level = np.where(values > low, 1.0, 0.0) if high <= low else np.clip((values - low) / (high - low), 0, 1)
    if shape.photometric_interpretation == "MONOCHROME1":
        level, said = 1 - level, f"{said}, MONOCHROME1".lstrip(", ")
    return (level * 255).round().astype(np.uint8), said


def _number(dataset: FileDataset, keyword: str, usual: float | None) -> Any:
    """Return the first value of an attribute."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return usual
    return float(value if isinstance(value, int | float | str) else value[0])


def _squared(image: Image.Image, dataset: FileDataset) -> Image.Image:
    """Return an image with square pixels: spacings and ratios are told down before across (PS3.3 10.7.1.3)."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        value = dataset.get(keyword)
        if value and len(value) == 2:
            down, across = map(float, value)
            ratio = down / across if across else 1.0
            if 1 / _WIDEST_ASPECT < ratio < _WIDEST_ASPECT and abs(ratio - 1) > 0.001:
                size = (
                    (image.width, round(image.height * ratio))
                    if ratio > 1
                    else (round(image.width / ratio), image.height)
                )
                return image.resize((max(size[0], 1), max(size[1], 1)), reducing_gap=2.0)
            break
    return image
