"""Decoders that are not ours: what both of two refuse is damaged."""

from __future__ import annotations

import io
import logging
import warnings
from typing import TYPE_CHECKING, Any

import imagecodecs
import libjpeg
import numpy as np
import pydicom
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    Judge = Callable[[bytes], Any]

logging.getLogger("tifffile").setLevel(logging.CRITICAL)
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def _pillow(data: bytes) -> object:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.size


def _opencv(data: bytes) -> object:
    import cv2  # noqa: PLC0415  # fuzzing alone needs it

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        msg = "cv2 can't decode it"
        raise ValueError(msg)
    return pixels


def _tifffile(data: bytes) -> object:
    import tifffile  # noqa: PLC0415  # fuzzing alone needs it

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return [page.asarray() for page in file.pages]


def _pydicom(data: bytes) -> object:
    return pydicom.dcmread(io.BytesIO(data)).pixel_array


def _to_its_end(data: bytes) -> object:
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.decode()
    return str(dataset)


def _libjpeg(data: bytes) -> object:
    return libjpeg.decode(data)


JUDGES: dict[str, tuple[Judge, ...]] = {
    "png": (imagecodecs.png_decode, _opencv),
    "jpeg": (imagecodecs.jpeg8_decode, _libjpeg),
    "jpeg-progressive": (_pillow, _libjpeg),
    "jpeg-lossless": (imagecodecs.jpeg8_decode, _libjpeg),
    "jpeg-ls": (imagecodecs.jpegls_decode, _libjpeg),
    "gif": (imagecodecs.gif_decode, _opencv),
    "tiff": (_tifffile, _opencv),
    "webp": (imagecodecs.webp_decode, _opencv),
    "bmp": (imagecodecs.bmp_decode, _opencv),
    "dicom": (_pydicom, _to_its_end),
}


def refusals(kind: str, data: bytes) -> list[str]:
    """Return what each decoder says against a file; an empty string where it decodes it.

    Parameters
    ----------
    kind
        The format.
    data
        The file, or the stream that was passed through.
    """
    found = []
    for judge in JUDGES[kind]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                judge(data)
                found.append("")
            except Exception as error:  # noqa: BLE001  # whatever a decoder raises, it refuses
                found.append(f"{type(error).__name__}: {error}"[:200] or "refused")
    return found
