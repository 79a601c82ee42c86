"""Each frame's stream decoded, by two decoders if two are installed: what one refuses or warns of, and where they differ."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.validation import decoders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.validation.decoders import Decoder
    from bulkdcm.validation.pixels import Shape

_LOSSY_J2K = {"1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"}
_IDCT = 2  # levels of 8 bits that two exact enough inverse transforms may lie apart (ITU-T T.83)
_CHROMA = 32  # mean of a band; decoders may interpolate between subsampled components as they like
_BAND = 64
_PIXELS_A_BYTE = 4096
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>")
_SHOWN = 120


def check_stream(data: bytes, transfer_syntax_uid: str, shape: Shape) -> Iterator[str]:
    """Yield what is wrong with one frame's stream, whose form and size have been found right.

    Parameters
    ----------
    data
        The stream.
    transfer_syntax_uid, shape
        Of its data set.
    """
    decoded: list[tuple[Decoder, Any]] = []
    expected = (shape.rows, shape.columns, shape.samples)
    for decoder in decoders.installed(transfer_syntax_uid, shape):
        try:
            pixels, problem = _decoded(decoder, data, shape)
        except decoders.Unsupported:
            continue
        if not problem and pixels.size == shape.rows * shape.columns * shape.samples:
            decoded.append((decoder, np.asarray(pixels).reshape(expected)))
        else:
            yield problem or f"{decoder.name} decodes it to {' x '.join(map(str, pixels.shape))} samples"
            return
        if len(decoded) == 2:
            break
    if not decoded:
        yield "not decoded: no decoder for it is installed. pip install 'bulkdcm[codecs]'"
    elif len(decoded) == 2:
        (first, ours), (second, theirs) = decoded
        if apart := _apart(ours, theirs, data, transfer_syntax_uid, shape):
            yield f"{first.name} and {second.name} decode it to samples that are up to {apart} apart: it is damaged"


def budget(size_bytes: int, max_pixels: int) -> int:
    """Return how many pixels the frames of so many bytes may have together: a small file can ask for hours."""
    return max_pixels + size_bytes * _PIXELS_A_BYTE


def _decoded(decoder: Decoder, data: bytes, shape: Shape) -> tuple[Any, str]:
    """Return the samples, and what the decoder says of the stream."""
    with _heard() as said:
        try:
            pixels = decoder.read(data, shape)
        except (decoders.Unsupported, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001  # panics of Rust are no Exception
            return None, f"{decoder.name} can't decode it: {_of(error)}"
    return pixels, f"{decoder.name} warns of it: {said[0]}" if said else ""


def _of(error: object) -> str:
    """Return an error's text, without what changes from run to run."""
    return _ADDRESS.sub("the stream", " ".join(str(error).split()))[:_SHOWN] or type(error).__name__


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect warnings, and errors that a decoder's callbacks can't raise."""
    said: list[str] = []
    hook = sys.unraisablehook
    sys.unraisablehook = lambda problem: said.append(_of(problem.exc_value))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield said
        said.extend(_of(warning.message) for warning in caught)
    finally:
        sys.unraisablehook = hook


def _apart(ours: Any, theirs: Any, data: bytes, uid: str, shape: Shape) -> int:
    """Return how far two decodings are apart at most, where that is more than decoders may be."""
    scale = 2 ** max(shape.bits_stored - 8, 0)
    exact = uid not in {*decoders.JPEG, *_LOSSY_J2K}
    allowed = 0 if exact else _IDCT * scale
    factors = decoders.sampling(data) if uid in decoders.JPEG and shape.samples > 1 else ()
    coarse = [factor != max(factors) for factor in factors] or [False] * shape.samples
    for start in range(0, shape.rows, _BAND):
        band = slice(start, start + _BAND)
        difference = np.abs(ours[band].astype(np.int32) - theirs[band])
        for component, is_coarse in enumerate(coarse):
            own = difference[..., component]
            if own.mean() > _CHROMA * scale if is_coarse else own.max() > allowed:
                return int(own.max())
    return 0
