"""The Image Pixel module, and native pixels against it (PS3.3 C.7.6.3, PS3.5 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue

from bulkdcm import dicom_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

_SAMPLES = {
    **dict.fromkeys(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), 1),
    **dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"), 3),
}
_NATIVE = {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL"}
_MODULE = ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")  # fmt: skip
_LOSSY = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
METHODS = {
    **dict.fromkeys(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"), "ISO_10918_1"),
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}


class Shape(NamedTuple):
    """What the dataset says of its pixels."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    photometric_interpretation: str
    frames: int


def check_module(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what contradicts itself in the Image Pixel module: (where, rule)."""
    if found := _unusable(dataset):
        yield found
        return
    shape = shape_of(dataset)
    if not (shape.rows and shape.columns):
        yield "Rows, Columns", f"{shape.rows} x {shape.columns} is no image (PS3.3 C.7.6.3.1)"
    expected = _SAMPLES.get(shape.photometric_interpretation)
    if expected is None:
        yield (
            "PhotometricInterpretation",
            f"{shape.photometric_interpretation!r} is no Defined Term in use (PS3.3 C.7.6.3.1.2)",
        )
    elif expected != shape.samples:
        yield (
            "SamplesPerPixel",
            f"{shape.samples}, but {shape.photometric_interpretation} has {expected} (PS3.3 C.7.6.3.1.2)",
        )
    if shape.bits_stored > shape.bits_allocated:
        yield "BitsStored", f"{shape.bits_stored} of {shape.bits_allocated} bits allocated (PS3.5 8.1.1)"
    if dataset.HighBit != shape.bits_stored - 1:
        yield "HighBit", f"{dataset.HighBit} with {shape.bits_stored} bits stored (PS3.5 8.1.1)"
    if dataset.PixelRepresentation != 0:
        yield "PixelRepresentation", "1; images are unsigned (PS3.3 C.7.6.3)"
    if shape.samples > 1 and dataset.get("PlanarConfiguration") is None:
        yield "PlanarConfiguration", "colour must have it (PS3.3 C.7.6.3.1.3)"
    elif dataset.get("PlanarConfiguration"):
        yield "PlanarConfiguration", "1; bulkdcm writes colour by pixel, 0 (PS3.3 C.7.6.3.1.3)"
    if "WindowWidth" in dataset and "WindowCenter" not in dataset:
        yield "WindowCenter", "missing beside WindowWidth (PS3.3 C.11.2)"


def check_pointer(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what Frame Increment Pointer names and the dataset hasn't."""
    value = dataset.get("FrameIncrementPointer")
    for tag in value if isinstance(value, MultiValue) else [value]:
        if tag is not None and tag not in dataset:
            yield keyword_for_tag(tag) or str(tag), "missing, though FrameIncrementPointer names it (PS3.3 C.7.6.6.1.1)"


def _unusable(dataset: Dataset) -> tuple[str, str] | None:
    """Return the first attribute of the module without which nothing can be said of the pixels."""
    for keyword in _MODULE:
        if dataset.get(keyword) is None:
            return keyword, "an image must have it (PS3.3 C.7.6.3)"
    for keyword in (*_MODULE, "NumberOfFrames", "PlanarConfiguration"):
        if keyword != "PhotometricInterpretation":
            try:
                dicom_file.one_number(dataset, keyword)
            except ValueError as error:
                return keyword, f"{error}; an image must have it (PS3.3 C.7.6.3)"
    return None


def shape_of(dataset: Dataset) -> Shape:
    """Return what the dataset says of its pixels."""
    return Shape(
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        samples=int(dataset.SamplesPerPixel),
        bits_allocated=int(dataset.BitsAllocated),
        bits_stored=int(dataset.BitsStored),
        photometric_interpretation=str(dataset.PhotometricInterpretation),
        frames=int(dataset.get("NumberOfFrames") or 1),
    )


def check_native(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with pixels that are not compressed."""
    shape = shape_of(dataset)
    if shape.photometric_interpretation not in _NATIVE:
        yield (
            "PhotometricInterpretation",
            f"{shape.photometric_interpretation} is for compressed pixels only (PS3.3 C.7.6.3.1.2)",
        )
    size = shape.rows * shape.columns * shape.samples * shape.frames * shape.bits_allocated // 8
    found = len(dataset.PixelData)
    if found != size + size % 2:
        yield "PixelData", f"{found} bytes, {size + size % 2} follow from Rows, Columns and the rest (PS3.5 8.1.1)"


def check_lossy(dataset: Dataset, transfer_syntax_uid: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the history of lossy compression (PS3.3 C.7.6.1.1.5)."""
    said = str(dataset.get("LossyImageCompression") or "")
    method = METHODS.get(transfer_syntax_uid)
    if method and said != "01":
        yield "LossyImageCompression", f"{said!r}, but the pixels are in a lossy stream: 01 (PS3.3 C.7.6.1.1.5)"
    if said == "01":
        for keyword in _LOSSY[:1] if not method else _LOSSY:
            if not dataset.get(keyword):
                yield keyword, "missing, though LossyImageCompression is 01 (PS3.3 C.7.6.1.1.5)"
    elif any(dataset.get(keyword) for keyword in _LOSSY):
        yield "LossyImageCompression", f"{said!r} beside a ratio or method (PS3.3 C.7.6.1.1.5)"
    methods = dataset.get("LossyImageCompressionMethod") or ()
    methods = [methods] if isinstance(methods, str) else list(methods)
    if method and methods and methods[-1] != method:
        yield "LossyImageCompressionMethod", f"{methods[-1]!r}, but the stream is {method} (PS3.3 C.7.6.1.1.5.1)"
