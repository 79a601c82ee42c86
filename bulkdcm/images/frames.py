"""Several images to the frames of one, which must be alike: one size, one kind, one coding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.errors import PixelError
from bulkdcm.model import Lossy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.model import IOD, Frame, Source
    from bulkdcm.setting_parts import PixelSettings

    Read = Callable[[Source, PixelSettings, IOD], Frame]


def read_all(sources: Sequence[Source], settings: PixelSettings, iod: IOD, read: Read) -> Frame:
    """Return the frames of `sources`, in that order, as one image.

    Parameters
    ----------
    sources
        The files; one with several frames gives all of them.
    settings, iod
        As for `read`.
    read
        Reads one file.

    Raises
    ------
    PixelError
        If they are not alike, with the first that is not.
    """
    found = [read(source, settings, iod) for source in sources]
    if len({(frame.transfer_syntax_uid, frame.photometric_interpretation) for frame in found}) > 1:
        # One coding for all: what can't be passed through with the others is decoded with them, and gray kept as colour.
        alike = settings.changed(transfer_syntax="explicit", keep_color=True, gray_tolerance=0)
        found = [read(source, alike, iod) for source in sources]
    first = found[0]
    for source, frame in zip(sources, found, strict=True):
        if _look(frame) != _look(first):
            msg = (
                f"{source.path}: a frame of {_words(frame)} beside {sources[0].path} of {_words(first)}: the frames of one "
                "object are alike (PS3.3 C.7.6.6). Give them an `instance` each, or make them alike."
            )
            raise PixelError(msg)
    return _joined(found)


def _look(frame: Frame) -> tuple[object, ...]:
    bits = frame.bits_stored if frame.streams else frame.bits_allocated  # of pixels the deepest frame's are all frames'
    return frame.rows, frame.columns, frame.kind, bits, frame.photometric_interpretation


def _words(frame: Frame) -> str:
    return f"{frame.columns} x {frame.rows} {frame.kind} pixels"


def _joined(found: list[Frame]) -> Frame:
    first = found[0]
    pixels = [frame.pixels for frame in found if frame.pixels is not None]
    stacks = [
        stack if frame.number_of_frames else stack[np.newaxis] for frame, stack in zip(found, pixels, strict=False)
    ]
    same_profile = all(frame.icc_profile == first.icc_profile for frame in found)
    derivations = tuple(dict.fromkeys(said for frame in found for said in frame.derivations))
    decisions = list(dict.fromkeys(decision for frame in found for decision in frame.decisions))
    if not same_profile:
        decisions.append("ICC profiles left out: the frames have different ones")
    return replace(
        first,
        pixels=np.concatenate(stacks) if stacks else None,
        streams=tuple(stream for frame in found for stream in frame.streams),
        bits_stored=max(frame.bits_stored for frame in found),
        number_of_frames=sum(max(1, frame.number_of_frames) for frame in found),
        lossy=_lossy(found),
        icc_profile=first.icc_profile if same_profile else b"",
        color_space=first.color_space if same_profile else "",
        aspect_ratio=first.aspect_ratio if len({frame.aspect_ratio for frame in found}) == 1 else None,
        derivations=derivations,
        decisions=tuple(decisions),
    )


def _lossy(found: list[Frame]) -> tuple[Lossy, ...]:
    """Return the one compression of all frames: their sizes together, before over after."""
    compressed = [frame.lossy[0] for frame in found if frame.lossy]
    if not compressed:
        return ()
    ratio = len(found) / (sum(1 / lossy.ratio for lossy in compressed) + len(found) - len(compressed))
    return (Lossy(ratio=ratio, method=compressed[0].method),)
