"""The pixels of a file beside those of its sources, decoded anew, with the row's settings applied by other code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.encode.codecs import CODECS
from bulkdcm.proof import jpeg, policy, source, stored
from bulkdcm.proof.kinds import PIXELS, UNPROVEN, WINDOW, Found
from bulkdcm.proof.policy import Unproven
from bulkdcm.proof.window import window_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from bulkdcm.model import ManifestRow
    from bulkdcm.proof.source import Seen
    from bulkdcm.setting_parts import PixelSettings

_JPEG = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70))
_BASELINE = _JPEG[0]
_DARK_IS_LOW = "MONOCHROME2"


class Comparison:
    """One file's pixels and its sources.

    Parameters
    ----------
    row
        Of the manifest.
    sources
        The bytes of each source, in the order of the frames.
    settings
        That the row was converted with.
    by
        Counts what decided, for the summary.
    """

    def __init__(self, row: ManifestRow, sources: Sequence[bytes], settings: PixelSettings, by: Counter[str]) -> None:
        self.row, self.sources, self.settings, self.by = row, sources, settings, by

    def found(self, dataset: Dataset) -> Iterator[Found]:
        """Yield how the pixels of a data set aren't those of its sources."""
        try:
            yield from self._found(dataset)
        except Unproven as error:
            yield Found(UNPROVEN, "PixelData", str(error))

    def _found(self, dataset: Dataset) -> Iterator[Found]:
        uid = str(dataset.file_meta.TransferSyntaxUID)
        codec = CODECS.get(self.settings.compression)
        asked = codec.transfer_syntax_uid if codec else ""
        jpegs = all(map(source.is_jpeg, self.sources))
        may_pass = self.settings.transfer_syntax == "auto" or self.settings.quality
        if jpegs and uid in _JPEG and may_pass and (yield from self._streams(dataset)):
            return
        if codec and uid == asked and codec.method:
            yield from self._lossy(dataset)
            return
        yield from self._native(dataset)

    def _streams(self, dataset: Dataset) -> Any:
        """Yield what is wrong with streams of JPEG sources; return whether they are the sources' own at all."""
        pairs = list(zip(self.sources, stored.streams(dataset), strict=False))
        if len(pairs) != len(self.sources):
            yield Found(PIXELS, "PixelData", f"{len(pairs)} frames of {len(self.sources)} sources")
            return True
        wrong = [jpeg.passed_through(data, stream) for data, stream in pairs]
        if not any(wrong):
            self.by["equal scan bytes"] += len(pairs)
            return True
        if self.settings.jpeg == "transcode" and str(dataset.file_meta.TransferSyntaxUID) == _BASELINE:
            for (data, stream), different in zip(pairs, wrong, strict=True):
                what, by = jpeg.transcoded(data, stream) if different else ("", "equal scan bytes")
                if what:
                    yield Found(PIXELS, "PixelData", what)
                else:
                    self.by[by] += 1
            return True
        if self.settings.quality:  # decoded and compressed anew, for a reason that the source has
            return False
        yield Found(PIXELS, "PixelData", next(text for text in wrong if text))
        return True

    def _expected(self, samples: int) -> tuple[list[Any], Seen]:
        """Return the frames as they should be stored, but for inversion; and the last source's."""
        seen = [source.seen(data, self.settings) for data in self.sources]
        every = [frame for each in seen for frame in each.frames]
        # Frames that can't be passed through together are decoded together, and colour of them is kept.
        keep = self.settings.keep_color or (len(seen) > 1 and samples == 3)
        if not keep and all(policy.is_gray(frame, self.settings.gray_tolerance) for frame in every):
            every = [policy.as_gray(frame) for frame in every]
        elif any(frame.ndim == 3 for frame in every):
            every = [policy.as_color(frame) for frame in every]
        for each in seen:
            self.by[f"fresh decoding by {each.by}"] += len(each.frames)
        return every, seen[-1]

    @property
    def _inverts(self) -> bool:
        return self.settings.invert and self.row.attributes.get("PhotometricInterpretation") != _DARK_IS_LOW

    def _native(self, dataset: Dataset) -> Iterator[Found]:
        expected, seen = self._expected(int(dataset.SamplesPerPixel))
        found, decoder = stored.frames(dataset)
        if decoder:
            self.by[f"decoded from the file by {decoder}"] += len(found)
        if problem := _alike(expected, found):
            yield Found(PIXELS, "PixelData", problem)
            return
        bits = int(dataset.BitsStored)
        plain = expected
        if self._inverts and expected[0].ndim == 2:
            expected = [policy.inverted(frame, bits) for frame in expected]
        for number, (theirs, ours) in enumerate(zip(expected, found, strict=True), start=1):
            if not np.array_equal(theirs, ours):
                yield Found(PIXELS, _of_frame(number, len(found)), _apart(theirs, ours))
                return
        yield from self._others(plain, seen)
        yield from self._window(dataset, found)

    def _others(self, expected: Sequence[Any], seen: Seen) -> Iterator[Found]:
        """Yield where a decoder that may differ a little differs by more; only of single images."""
        if len(expected) > 1 or not seen.others:
            return
        other = seen.others[0]
        other = policy.as_gray(other) if expected[0].ndim == 2 else policy.as_color(other)
        apart = int(np.abs(other.astype(np.int32) - expected[0]).max())
        if apart > seen.apart:
            yield Found(PIXELS, "PixelData", f"up to {apart} levels from Pillow's decoding, which may be {seen.apart}")
        else:
            self.by["within the bounds of another JPEG decoder"] += 1

    def _window(self, dataset: Dataset, found: Sequence[Any]) -> Iterator[Found]:
        wanted = window_of(self.row, found, int(dataset.BitsStored), self.settings.window)
        if wanted is None:
            return
        written = tuple(str(dataset.get(name) or "") for name in ("WindowCenter", "WindowWidth"))
        if any(written) and not all(_near(a, b) for a, b in zip(written, wanted, strict=True)):
            yield Found(
                WINDOW,
                "WindowCenter, WindowWidth",
                f"{'/'.join(written)} in the file, {'/'.join(wanted)} follow from its pixels",
            )

    def _lossy(self, dataset: Dataset) -> Iterator[Found]:
        """Yield how a lossy stream isn't what the same encoder makes of the source."""
        expected, _ = self._expected(int(dataset.SamplesPerPixel))
        if self._inverts:
            expected = [policy.inverted(frame, 8) for frame in expected]
        made = CODECS[self.settings.compression]
        for number, (frame, stream) in enumerate(zip(expected, stored.streams(dataset), strict=False), start=1):
            fresh = made.encode(np.ascontiguousarray(frame), 8, self.settings.quality)
            if jpeg.read(fresh).parts != jpeg.read(stream).parts:
                yield Found(
                    PIXELS,
                    _of_frame(number, len(expected)),
                    "its stream isn't what the encoder makes of the source's pixels",
                )
                return
        self.by["compressed with loss: what the encoder makes of the source"] += len(expected)


def _of_frame(number: int, count: int) -> str:
    return f"PixelData, frame {number}" if count > 1 else "PixelData"


def _near(a: str, b: str) -> bool:
    try:
        return abs(float(a) - float(b)) <= 1e-6 * max(1.0, abs(float(b)))
    except ValueError:
        return False


def _alike(expected: Sequence[Any], found: Sequence[Any]) -> str:
    if len(expected) != len(found):
        return f"{len(found)} frames, {len(expected)} follow from the source"
    for theirs, ours in zip(expected, found, strict=True):
        if theirs.shape != ours.shape:
            return f"{_size(ours)}, {_size(theirs)} follow from the source"
        if theirs.dtype.itemsize != ours.dtype.itemsize:
            return f"{8 * ours.dtype.itemsize} bits, {8 * theirs.dtype.itemsize} follow from the source"
    return ""


def _size(frame: Any) -> str:
    return f"{frame.shape[1]} x {frame.shape[0]} {'gray' if frame.ndim == 2 else 'colour'}"


def _apart(expected: Any, found: Any) -> str:
    difference = np.abs(found.astype(np.int32) - expected)
    return f"{int((difference > 0).sum()):,} of {difference.size:,} samples differ, by up to {int(difference.max())}"
