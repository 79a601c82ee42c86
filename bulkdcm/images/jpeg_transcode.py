"""A JPEG's coefficients moved unchanged into a baseline stream, by libjpeg-turbo's TurboJPEG library.

It is loaded where it is asked for (Debian's libturbojpeg0, Homebrew's jpeg-turbo, libjpeg-turbo's own installer). No other
library answers in its place: bytes must not depend on what happens to be installed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from bulkdcm.errors import SettingsError

# Elsewhere than on Linux a bare name may be looked for in the current folder, which may be a dataset's.
_NAMES = (
    *(("libturbojpeg.so.0",) if sys.platform == "linux" else ()),
    "/opt/homebrew/lib/libturbojpeg.dylib",
    "/usr/local/lib/libturbojpeg.dylib",
    "/opt/local/lib/libturbojpeg.dylib",
    "C:\\libjpeg-turbo64\\bin\\turbojpeg.dll",
)
_HOW = "install libjpeg-turbo's TurboJPEG library: Debian's libturbojpeg0, Homebrew's jpeg-turbo, or its own installer on Windows"
# Of turbojpeg.h: only exact turns, gray alone, no other segments; and an end at the first complaint.
_PERFECT, _GRAY, _COPY_NONE, _STOP_ON_WARNING = 1, 8, 64, 8192
# EXIF orientation to operation.
_OPERATIONS = {1: 0, 2: 1, 3: 6, 4: 2, 5: 3, 6: 5, 7: 4, 8: 7}


class _Region(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int), ("w", ctypes.c_int), ("h", ctypes.c_int))


class _Transform(ctypes.Structure):
    _fields_ = (
        ("r", _Region),
        ("op", ctypes.c_int),
        ("options", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("customFilter", ctypes.c_void_p),
    )


class _Library(NamedTuple):
    calls: Any
    name: str
    """Of its file, with the beginning of its SHA-256."""


@lru_cache(maxsize=1)
def _library() -> _Library | None:
    found = ctypes.util.find_library("turbojpeg")
    named = [found] if found and (sys.platform == "linux" or Path(found).is_absolute()) else []
    for name in (*_NAMES, *named):
        try:
            calls = ctypes.CDLL(name)
        except OSError:
            continue
        calls.tjInitTransform.restype = ctypes.c_void_p
        calls.tjGetErrorStr2.restype = ctypes.c_char_p
        calls.tjGetErrorStr2.argtypes = [ctypes.c_void_p]
        calls.tjDestroy.argtypes = [ctypes.c_void_p]
        calls.tjFree.argtypes = [ctypes.c_void_p]
        calls.tjTransform.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
            ctypes.c_void_p, ctypes.c_int,
        ]  # fmt: skip
        return _Library(calls, _identity(name))
    return None


def _identity(name: str) -> str:
    """Return the file that was loaded, which says its version, and its digest, which says the rest."""
    path = Path(name)
    if sys.platform == "linux":
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            if "turbojpeg" in line:
                path = Path(line.split(maxsplit=5)[-1])
                break
    path = path.resolve()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else "unknown"
    return f"{path.name} {digest}"


def version() -> str:
    """Return the name of the library that transcodes, as it decides the bytes of what is made.

    Raises
    ------
    SettingsError
        If there is none; says how to install it.
    """
    return _needed().name


def _needed() -> _Library:
    library = _library()
    if library is None:
        msg = f"--jpeg transcode needs a library that isn't there: {_HOW}. Or leave --jpeg out."
        raise SettingsError(msg)
    return library


def transcoded(data: bytes, orientation: int, *, gray: bool) -> tuple[bytes, str]:
    """Return a baseline stream of the same coefficients, and an empty string; else no bytes, and why it can't be.

    Parameters
    ----------
    data
        A JPEG of 8 bits a sample.
    orientation
        EXIF orientation, 1 to 8, by which blocks are turned; only where all of them are whole.
    gray
        Keep the first component only, of YCbCr.
    """
    calls = _needed().calls
    handle = calls.tjInitTransform()
    out, size = ctypes.c_void_p(None), ctypes.c_ulong(0)
    options = _PERFECT | _COPY_NONE | (_GRAY if gray else 0)
    wanted = _Transform(_Region(0, 0, 0, 0), _OPERATIONS[orientation], options, None, None)
    try:
        failed = calls.tjTransform(
            handle, data, len(data), 1, ctypes.byref(out), ctypes.byref(size), ctypes.byref(wanted), _STOP_ON_WARNING
        )
        if failed:
            return b"", calls.tjGetErrorStr2(handle).decode("utf-8", "replace")
        return ctypes.string_at(out.value or 0, size.value), ""
    finally:
        if out.value:
            calls.tjFree(out)
        calls.tjDestroy(handle)
