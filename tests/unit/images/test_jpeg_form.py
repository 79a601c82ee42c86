"""JPEG streams that are not complete in form: refused without decoding, each with what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from bulkdcm.errors import PixelError
from tests.streams import frame_of, noise, saved
from tests.streams_jpeg import (
    COLOR,
    DHT,
    EOI,
    GRAY,
    LOSSLESS,
    PLAIN_GRAY,
    SOF0,
    SOF3,
    SOS,
    YCC,
    inserted,
    joined,
    jpeg,
    patched,
    rgb,
    segment,
    segments,
    without,
)

DQT, DRI, SOF2 = 0xDB, 0xDD, 0xC2
RESTARTS = saved(GRAY, "JPEG", restart_marker_blocks=2)
PROGRESSIVE = saved(GRAY, "JPEG", quality=95, progressive=True)
SV1 = jpeg(GRAY, lossless=True, predictor=1)
SCANS = [number for number, (marker, _) in enumerate(segments(PROGRESSIVE)) if marker == SOS]


def _dropped(data: bytes, number: int) -> bytes:
    return joined([part for at, part in enumerate(segments(data)) if at != number])


def _nth(data: bytes, marker: int, number: int) -> int:
    return [at for at, part in enumerate(segments(data)) if part[0] == marker][number]


def _scan_header(data: bytes, *end: int) -> bytes:
    """Return the stream with other last bytes in its scan header: Ss, Se, Ah and Al."""
    count = next(part[4] for marker, part in segments(data) if marker == SOS)
    return patched(data, SOS, 5 + 2 * count, bytes(end))


WRONG = {
    "a table of the luminance missing": (_dropped(YCC, _nth(YCC, DHT, 1)), "Huffman table 0 for AC is missing"),
    "a table of the chrominance missing": (_dropped(YCC, _nth(YCC, DHT, 2)), "Huffman table 1 for DC is missing"),
    "no quantisation table": (without(PLAIN_GRAY, DQT), "quantisation table 0 is missing"),
    "a 0 in a quantisation table": (patched(PLAIN_GRAY, DQT, 9, b"\0"), "has a 0"),
    "a quantisation table of 16 bits": (joined([(m, segment(DQT, b"\x10" + b"\0\1" * 64) if m == DQT else p) for m, p in segments(PLAIN_GRAY)]), "16 bits"),
    "a quantisation table cut off": (inserted(PLAIN_GRAY, segment(DQT, b"\0" + b"\1" * 63)), "quantisation table"),
    "too many codes": (inserted(PLAIN_GRAY, segment(DHT, b"\0\3" + bytes(15) + b"\0\1\2"), before=SOS), "more codes than there can be"),
    "the code of ones": (inserted(PLAIN_GRAY, segment(DHT, b"\0\2" + bytes(15) + b"\0\1"), before=SOS), "more codes than there can be"),
    "a table without codes": (inserted(PLAIN_GRAY, segment(DHT, b"\0" + bytes(16)), before=SOS), "no codes"),
    "a table cut off": (inserted(PLAIN_GRAY, segment(DHT, b"\0\1" + bytes(14)), before=SOS), "Huffman table is none"),
    "a DC size of 17": (inserted(PLAIN_GRAY, segment(DHT, b"\0\0\2" + bytes(14) + b"\0\x11"), before=SOS), "more than 15 bits"),
    "sampling 0": (patched(PLAIN_GRAY, SOF0, 11, b"\x01"), "sampling factors 0 and 1"),
    "sampling 5": (patched(PLAIN_GRAY, SOF0, 11, b"\x15"), "sampling factors 1 and 5"),
    "16 blocks an MCU": (patched(patched(YCC, SOF0, 11, b"\x44"), SOF0, 5, b"\0\1\0\1"), "blocks in an MCU|can't hold"),
    "quantisation table 4": (patched(PLAIN_GRAY, SOF0, 12, b"\4"), "quantisation table 4"),
    "two components of one name": (patched(YCC, SOF0, 13, b"\1"), "the same name"),
    "a scan of two components of one name": (patched(YCC, SOS, 7, b"\1"), "no scan of component 2"),
    "Huffman table 2 in baseline": (patched(PLAIN_GRAY, SOS, 6, b"\x20"), "there are 0 to 1"),
    "spectral selection in baseline": (_scan_header(PLAIN_GRAY, 0, 62, 0), "spectral selection 0 to 62"),
    "approximation in baseline": (_scan_header(PLAIN_GRAY, 0, 63, 1), "approximation 0 to 1"),
    "predictor 0": (_scan_header(SV1, 0, 0, 0), "predictor 0"),
    "predictor 8": (_scan_header(SV1, 8, 0, 0), "predictor 8"),
    "a point transform": (_scan_header(SV1, 1, 0, 2), "lowest 2 bits"),
    "subsampled lossless": (patched(rgb(COLOR, lossless=True, predictor=1), SOF3, 11, b"\x21"), "differ in size"),
    "lossless of 17 bits": (patched(SV1, SOF3, 4, b"\x11"), "17"),
    "a scan twice": (inserted(PLAIN_GRAY, next(p for m, p in segments(PLAIN_GRAY) if m == SOS), before=EOI), "coded twice"),
    "far more rows than data": (patched(PLAIN_GRAY, SOF0, 5, b"\x40\0"), "can't hold"),
    "far more data than rows": (patched(jpeg(noise(64, 64).astype(np.uint8)), SOF0, 5, b"\0\1\0\1"), "more than the 1 MCUs"),
    "half a lossless scan": (joined([(m, p[: len(p) // 8] if m == SOS else p) for m, p in segments(jpeg(noise(64, 64).astype(np.uint8), lossless=True, predictor=1))]), "can't hold"),
    "a restart marker missing": (RESTARTS.replace(b"\xff\xd1", b"", 1), "restart markers, but"),
    "restart markers out of order": (RESTARTS.replace(b"\xff\xd1", b"\xff\xd5", 1), "out of order"),
    "restart markers without an interval": (without(RESTARTS, DRI), "restart markers, but 0"),
    "an interval without its markers": (inserted(PLAIN_GRAY, segment(DRI, b"\0\1"), before=SOS), "0 restart markers, but 19"),
    "a restart interval of one byte": (inserted(PLAIN_GRAY, segment(DRI, b"\1"), before=SOS), "restart interval has 1 bytes"),
    "progressive without its first scan": (_dropped(PROGRESSIVE, SCANS[0]), "coefficient|DC"),
    "progressive without a band": (_dropped(_dropped(PROGRESSIVE, SCANS[2]), SCANS[3] - 1), "coefficient"),
    "progressive without its last scan": (_dropped(PROGRESSIVE, SCANS[-1]), "the last bits of coefficient"),
    "progressive with a scan twice": (inserted(PROGRESSIVE, segments(PROGRESSIVE)[SCANS[0]][1], before=EOI), "coded twice"),
    "a scan before its frame": (inserted(PLAIN_GRAY, next(p for m, p in segments(PLAIN_GRAY) if m == SOS), before=SOF0), "before the frame header"),
    "101 scans": (inserted(PLAIN_GRAY, segments(PLAIN_GRAY)[-2][1] * 100, before=EOI), "more than 100 scans"),
    "JPEG-LS": (b"\xff\xd8" + segment(0xF7, b"\x08\0\x08\0\x08\1\1\x11\0") + PLAIN_GRAY[2:], "a JPEG-LS stream"),
    "hierarchical": (b"\xff\xd8" + segment(0xDE, b"\x08\0\x08\0\x08\1\1\x11\0") + PLAIN_GRAY[2:], "hierarchical"),
    "a marker of nothing": (inserted(PLAIN_GRAY, segment(0xF2, b"")), "marker 0xf2"),
    "a frame header with bytes to spare": (joined([(m, segment(SOF0, p[4:] + b"\0") if m == SOF0 else p) for m, p in segments(PLAIN_GRAY)]), "frame header"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_stream_that_is_not_complete_in_form_is_refused_with_the_reason(name: str):
    data, words = WRONG[name]
    with pytest.raises(PixelError, match=words) as caught:
        frame_of(data)
    assert str(caught.value).startswith("a/image.bin: ")


def test_scans_by_different_predictors_are_not_called_sv1():
    planes = [segments(jpeg(COLOR[:, :, n].copy(), lossless=True, predictor=1 + n)) for n in range(3)]
    scans = b"".join(p[:5] + bytes([n]) + p[6:] for n, parts in enumerate(planes) for m, p in parts if m == SOS)
    tables = [p for m, p in planes[0] if m == DHT]
    header = segment(SOF3, b"\x08\0\x1d\0\x25\3\0\x11\0\1\x11\0\2\x11\0")
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
    data = b"\xff\xd8" + adobe + header + tables[0] + scans + b"\xff\xd9"
    assert frame_of(data).transfer_syntax_uid == LOSSLESS


@pytest.mark.parametrize("segments_given", [b"\0", b"\2"])
def test_adobe_segments_that_contradict_are_said(segments_given: bytes):
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0" + segments_given)
    frame = frame_of(inserted(YCC, adobe))
    assert "read as YCbCr" in "; ".join(frame.decisions)
