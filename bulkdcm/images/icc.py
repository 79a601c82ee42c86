"""Which ICC profile of an image may go into the ICC Profile attribute (PS3.3 C.11.15.1.1: input class, RGB)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

GRAY = "ICC profile left out: the image is gray"
_HEADER = 128
_CLASS, _SPACE, _ID = slice(12, 16), slice(16, 20), slice(84, 100)
_PRIMARIES, _CURVES = (b"rXYZ", b"gXYZ", b"bXYZ"), (b"rTRC", b"gTRC", b"bTRC")


class Carried(NamedTuple):
    """A profile to carry.

    Attributes
    ----------
    profile
        Empty for none.
    said
        What was decided about it.
    color_space
        Defined Term of Color Space, if it is known to be one; else empty.
    """

    profile: bytes = b""
    said: str = ""
    color_space: str = ""


@lru_cache(maxsize=64)
def input_profile(profile: bytes) -> Carried:
    """Return the profile to carry.

    A display or colour-space profile of three primaries and curves has the very tags of an input profile (ICC.1 8.3, 8.4),
    so its class field alone is changed; colours are the same. Anything else is left out and said.

    Parameters
    ----------
    profile
        As found in the image; empty where there is none.
    """
    if not profile:
        return Carried()
    size = int.from_bytes(profile[:4], "big")
    if len(profile) < _HEADER + 4 or size > len(profile) or profile[36:40] != b"acsp":
        return Carried(said="ICC profile left out: damaged")
    profile = profile[:size]
    if profile[_SPACE] != b"RGB ":
        return Carried(said=f"ICC profile left out: for {profile[_SPACE].decode('latin-1').strip()}, not RGB")
    kind = profile[_CLASS]
    if kind == b"scnr":
        return Carried(profile, "ICC profile carried", color_space(profile))
    if kind in {b"mntr", b"spac"} and _tags(profile).keys() >= {*_PRIMARIES, *_CURVES}:
        changed = bytearray(profile)
        changed[_CLASS] = b"scnr"
        changed[_ID] = bytes(16)  # the profile's MD5, which zero leaves uncomputed (ICC.1 7.2.18)
        said = f"ICC profile carried, its class {kind.decode()} changed to scnr"
        return Carried(bytes(changed), said, color_space(profile))
    return Carried(said=f"ICC profile left out: class {kind.decode('latin-1')} is no input profile")


# Color Space (PS3.3 C.11.15.1.2): the primaries of a profile, adapted to D50, and points of its curve.
_ROUNDING = 0.002
_POINTS = (0.25, 0.5, 0.75)
_SPACES = {
    "SRGB": (((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)), (0.0509, 0.2140, 0.5225)),
    "ADOBERGB": (
        ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)),
        tuple(point ** (563 / 256) for point in _POINTS),
    ),
}


def color_space(profile: bytes) -> str:
    """Return the Defined Term of Color Space that a profile is known to be; empty for any other.

    Parameters
    ----------
    profile
        Of three primaries and curves.
    """
    tags, nothing = _tags(profile), slice(0)
    found = [_xyz(profile[tags.get(name, nothing)]) for name in _PRIMARIES]
    drawn = [profile[tags.get(name, nothing)] for name in _CURVES]
    curves = [[_curve(tag, point) for point in _POINTS] for tag in drawn]
    for term, (primaries, curve) in _SPACES.items():
        if all(map(_near, found, primaries)) and all(_near(values, curve) for values in curves):
            return term
    return ""


def _tags(profile: bytes) -> dict[bytes, slice]:
    """Return where each tag stands (ICC.1 7.3); a table never goes on beyond the profile, whatever count it states."""
    count = int.from_bytes(profile[_HEADER : _HEADER + 4], "big")
    table = profile[_HEADER + 4 : _HEADER + 4 + 12 * count]
    found = {}
    for at in range(0, len(table) - 11, 12):
        start, size = (int.from_bytes(table[at + i : at + i + 4], "big") for i in (4, 8))
        found[table[at : at + 4]] = slice(start, start + size)
    return found


def _near(found: Sequence[float], wanted: Sequence[float]) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= _ROUNDING for a, b in zip(found, wanted, strict=True))


def _xyz(tag: bytes) -> tuple[float, ...]:
    """Return the three numbers of an XYZType (ICC.1 10.31); none if it isn't one."""
    if tag[:4] != b"XYZ " or len(tag) < 20:
        return ()
    return tuple(int.from_bytes(tag[at : at + 4], "big", signed=True) / 65536 for at in (8, 12, 16))


def _curve(tag: bytes, at: float) -> float:
    """Return the value of a curve (ICC.1 10.6, 10.18); -1 if it isn't one."""
    count = int.from_bytes(tag[8:12], "big")
    if tag[:4] == b"curv" and len(tag) >= 12 + 2 * count:
        if count < 2:
            return _power(at, _entry(tag, 0) / 256) if count else at
        place = at * (count - 1)
        below = min(int(place), count - 2)
        low, high = _entry(tag, below), _entry(tag, below + 1)
        return (low + (high - low) * (place - below)) / 65535
    if tag[:4] != b"para":
        return -1.0
    kind = tag[8:10]
    numbers = [int.from_bytes(tag[i : i + 4], "big", signed=True) / 65536 for i in range(12, min(len(tag), 32), 4)]
    if kind == b"\0\0" and numbers:
        return _power(at, numbers[0])
    if kind == b"\0\3" and len(numbers) == 5:
        gamma, a, b, c, d = numbers
        return _power(a * at + b, gamma) if at >= d else c * at
    return -1.0


def _power(base: float, exponent: float) -> float:
    """Return a power; -1 if there is none, or it is far beyond the end of any curve."""
    try:
        return math.pow(base, exponent)
    except (ValueError, OverflowError):
        return -1.0


def _entry(tag: bytes, index: int) -> int:
    return int.from_bytes(tag[12 + 2 * index : 14 + 2 * index], "big")
