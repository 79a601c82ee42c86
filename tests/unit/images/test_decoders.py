"""Whatever decodes PNG and JPEG, the frame is the same, and no damage passes that the strict decoder finds."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bulkdcm.errors import PixelError
from bulkdcm.images import decoders
from tests.streams import COLOR, GRAY8, frame_of, noise, params, saved
from tests.streams_jpeg import ARITHMETIC, JPEGS, SOS, segments
from tests.streams_png import PNGS
from tests.streams_png_codec import KINDS, png

if TYPE_CHECKING:
    from bulkdcm.model import Frame
    from tests.streams import Case

NATIVE = {"transfer_syntax": "explicit"}
KORNIA = pytest.mark.skipif(not decoders.release(), reason="kornia-rs isn't here, with which Pillow is compared")
BOTH = [pytest.param(True, marks=KORNIA, id="kornia-rs"), pytest.param(False, id="Pillow")]


def told(data: bytes, iod: str = "SC", **options: Any) -> Frame | str:
    """Return the frame, or what is said instead."""
    try:
        return frame_of(data, iod, **options)
    except PixelError as error:
        return str(error)


@pytest.fixture
def without(monkeypatch):
    """Return a function that reads without kornia-rs."""

    def read(*args: Any, **options: Any) -> Frame | str:
        with monkeypatch.context() as patch:
            patch.setattr(decoders, "_kornia", None)
            return told(*args, **options)

    return read


def assert_same(ours: Frame | str, theirs: Frame | str) -> None:
    if isinstance(ours, str) or isinstance(theirs, str):
        # The words for an unknown filter are the decoders' own.
        assert isinstance(ours, str) and isinstance(theirs, str)
        assert ours.partition(" decoded")[0] == theirs.partition(" decoded")[0]
        return
    for field in fields(ours):
        mine, other = getattr(ours, field.name), getattr(theirs, field.name)
        if field.name == "pixels" and mine is not None:
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
        else:
            assert mine == other, field.name


@KORNIA
@pytest.mark.parametrize("case", params([case for case in [*PNGS, *JPEGS] if "arithmetic" not in case.name]))
def test_every_file_is_the_same_to_both(case: Case, without):
    for more in ({}, {"streams": "decode"}, NATIVE):
        options = {**case.options, **more}
        assert_same(told(case.data, case.iod, **options), without(case.data, case.iod, **options))


@KORNIA
@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 2), (37, 150)])
def test_every_kind_of_png_of_every_size_is_the_same_to_both(kind, rows, columns, interlace, without):
    data, _ = png(*kind, rows, columns, interlace=interlace)
    assert_same(told(data), without(data))


JPEG_FORMS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "progressive, colour as fine as gray": {"progressive": True, "subsampling": 0, "quality": 98},
    "restarts": {"restart_marker_blocks": 3},
    "progressive with restarts": {"progressive": True, "restart_marker_blocks": 5},
    "tables of its own": {"optimize": True, "quality": 60},
}
SEEDS = [saved(pixels, "JPEG", **options) for pixels in (noise(61, 75).astype(np.uint8), noise(40, 52, 3).astype(np.uint8), GRAY8, COLOR) for options in JPEG_FORMS.values()]  # fmt: skip


def mutant(chance: random.Random) -> bytes:
    """Return a JPEG with damage in its scans alone."""
    parts = segments(chance.choice(SEEDS))
    place = chance.choice([n for n, (marker, _) in enumerate(parts) if marker == SOS])
    scan = bytearray(parts[place][1])
    begin = 2 + int.from_bytes(scan[2:4], "big")
    at = chance.randrange(begin, len(scan)) + 1
    damage = chance.choice(["bit", "bit", "byte", "lost", "more", "end"])
    if damage == "bit":
        scan[at - 1] ^= 1 << chance.randrange(8)
    elif damage == "byte":
        scan[at - 1] = chance.randrange(256)
    elif damage == "lost":
        del scan[at - 1 : at + chance.randrange(5)]
    elif damage == "more":
        scan[at:at] = bytes(chance.randrange(255) for _ in range(chance.randrange(1, 9)))
    else:
        del scan[-chance.randrange(1, 30) :]
    return b"".join(bytes(scan) if n == place else part for n, (_, part) in enumerate(parts))


@KORNIA
def test_the_walk_finds_all_damage_that_the_strict_decoder_finds(without):
    """It finds more: libjpeg-turbo passes over a code that is none in its quick loop, and over a few bytes left over."""
    chance, counts = random.Random(16), Counter()
    for _ in range(600):
        data = mutant(chance)
        theirs, ours = told(data, **NATIVE), without(data, **NATIVE)
        refused = isinstance(theirs, str), isinstance(ours, str)
        counts[refused] += 1
        assert refused != (True, False), theirs
        if not any(refused) or all(refused):
            assert_same(ours, theirs)
    assert counts[True, True] > 250 and counts[False, False] > 100
    assert counts[False, True] < 60


@pytest.mark.parametrize("strict", BOTH)
@pytest.mark.parametrize("form", JPEG_FORMS)
@pytest.mark.parametrize("options", [NATIVE, {"streams": "decode"}], ids=["decoded", "checked"])
def test_a_scan_that_ends_early_is_refused(form, options, strict, without):
    data = saved(noise(61, 75).astype(np.uint8), "JPEG", **JPEG_FORMS[form])
    *_, scan, end = segments(data)
    cut = data[: -len(scan[1]) - 2] + scan[1][: len(scan[1]) * 2 // 3].rstrip(b"\xff") + end[1]
    said = (told if strict else without)(cut, **options)
    assert isinstance(said, str)
    assert "damaged" in said or "cut off" in said or "restart markers" in said
    assert not isinstance((told if strict else without)(data, **options), str)


def test_arithmetic_coding_is_refused_without_what_could_check_it(without):
    assert "Run `pip install kornia-rs`, or export the image as PNG" in without(ARITHMETIC)
