"""Which ICC profile of an image may go into the ICC Profile attribute (PS3.3 C.11.15.1.1: input class, RGB)."""

from __future__ import annotations

GRAY = "ICC profile left out: the image is gray"
_HEADER = 128
_CLASS, _SPACE, _ID = slice(12, 16), slice(16, 20), slice(84, 100)
_CURVED = {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}


def input_profile(profile: bytes) -> tuple[bytes, str]:
    """Return the profile to carry (empty for none) and what was decided about it.

    A display or colour-space profile of three primaries and curves has the very tags of an input profile (ICC.1 8.3, 8.4),
    so its class field alone is changed; colours are the same. Anything else is left out and said.

    Parameters
    ----------
    profile
        As found in the image; empty where there is none.
    """
    if not profile:
        return b"", ""
    size = int.from_bytes(profile[:4], "big")
    if len(profile) < _HEADER + 4 or size > len(profile) or profile[36:40] != b"acsp":
        return b"", "ICC profile left out: damaged"
    profile = profile[:size]
    if profile[_SPACE] != b"RGB ":
        return b"", f"ICC profile left out: for {profile[_SPACE].decode('latin-1').strip()}, not RGB"
    kind = profile[_CLASS]
    if kind == b"scnr":
        return profile, "ICC profile carried"
    count = int.from_bytes(profile[_HEADER : _HEADER + 4], "big")
    table = profile[_HEADER + 4 : _HEADER + 4 + 12 * count]
    if kind in {b"mntr", b"spac"} and {table[i : i + 4] for i in range(0, len(table), 12)} >= _CURVED:
        changed = bytearray(profile)
        changed[_CLASS] = b"scnr"
        changed[_ID] = bytes(16)  # the profile's MD5, which zero leaves uncomputed (ICC.1 7.2.18)
        return bytes(changed), f"ICC profile carried, its class {kind.decode()} changed to scnr"
    return b"", f"ICC profile left out: class {kind.decode('latin-1')} is no input profile"
