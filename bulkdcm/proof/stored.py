"""The pixels that a file holds: native ones by their bytes, compressed ones by another decoder than compressed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.encaps import generate_frames

from bulkdcm.proof.policy import Unproven
from bulkdcm.validation import decoders
from bulkdcm.validation.pixels import shape_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from bulkdcm.validation.pixels import Shape

# The library that compresses, by transfer syntax; see `encode.codecs`.
_ENCODERS = {
    "1.2.840.10008.1.2.5": "imagecodecs",
    "1.2.840.10008.1.2.4.70": "libjpeg-turbo",
    "1.2.840.10008.1.2.4.80": "CharLS",
    "1.2.840.10008.1.2.4.90": "OpenJPEG",
    "1.2.840.10008.1.2.4.201": "OpenJPH",
}


def streams(dataset: Dataset) -> list[bytes]:
    """Return the stream of each frame, with its padding."""
    return list(generate_frames(dataset.PixelData, number_of_frames=shape_of(dataset).frames))


def frames(dataset: Dataset) -> tuple[list[Any], str]:
    """Return the pixels of each frame, and the decoder if one was needed.

    Raises
    ------
    Unproven
        If no decoder here reads them.
    ValueError
        If they can't be what the data set says.
    """
    shape = shape_of(dataset)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return _decoded(dataset, shape)
    kind = np.dtype("u1" if shape.bits_allocated == 8 else "<u2")
    size = shape.rows * shape.columns * shape.samples * shape.frames
    data = dataset.PixelData
    if len(data) < size * kind.itemsize:
        msg = f"{len(data)} bytes of pixels, {size * kind.itemsize} follow from their size"
        raise ValueError(msg)
    whole = np.frombuffer(data, kind, size).reshape(shape.frames, shape.rows, shape.columns, shape.samples)
    return [frame[..., 0] if shape.samples == 1 else frame for frame in whole], ""


def _decoded(dataset: Dataset, shape: Shape) -> tuple[list[Any], str]:
    uid = str(dataset.file_meta.TransferSyntaxUID)
    encoder = _ENCODERS.get(uid, "none of ours")
    known = sorted(decoders.installed(uid, shape), key=lambda decoder: decoder.library.startswith(encoder))
    for decoder in known:
        try:
            found = [np.asarray(decoder.read(stream, shape)) for stream in streams(dataset)]
        except decoders.Unsupported:
            continue
        size = (shape.rows, shape.columns) if shape.samples == 1 else (shape.rows, shape.columns, shape.samples)
        said = (
            f"{decoder.name}{' (of the library that compressed them)' if decoder.library.startswith(encoder) else ''}"
        )
        return [frame.reshape(size) for frame in found], said
    msg = f"no decoder of transfer syntax {uid} is installed (pip install 'bulkdcm[codecs]')"
    raise Unproven(msg)
