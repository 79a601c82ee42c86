"""What a file is that isn't an image we read: often it isn't an image at all, and then no export helps."""

from __future__ import annotations

import re

_AGAIN = "Fetch the image itself."
_EXPORT = "Export it as PNG."
_LEADING = re.compile(rb"^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*")
# Beginning, what it is, what to do; the first that fits. Text is compared in lower case, without what stands before it.
_TEXTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer", "Run `git lfs pull`, which fetches the image."),
    (b"/annex/objects/", "a git-annex pointer", "Run `git annex get`, which fetches the image."),
    (b"outs:", "a DVC pointer", "Run `dvc pull`, which fetches the image."),
    (b"<!doctype html", "an HTML page, such as a server sends instead of a file", _AGAIN),
    (b"<html", "an HTML page, such as a server sends instead of a file", _AGAIN),
    (b"<head", "an HTML page, such as a server sends instead of a file", _AGAIN),
    (b"<svg", "an SVG drawing", _EXPORT),
    (b"<?xml", "an XML text, such as a server sends instead of a file", _AGAIN),
    (b"<error", "an XML text, such as a server sends instead of a file", _AGAIN),
    (b"{", "a JSON text, such as a server sends instead of a file", _AGAIN),
    (b"xsym\n", "a link of another system", _AGAIN),
)
_BINARIES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 stream", _EXPORT),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 file", _EXPORT),
    (0, b"\xff\x0a", "a JPEG XL stream", _EXPORT),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL file", _EXPORT),
    (4, b"ftypheic", "a HEIC photograph", _EXPORT),
    (4, b"ftypmif1", "a HEIF photograph", _EXPORT),
    (4, b"ftypavif", "an AVIF image", _EXPORT),
    (4, b"ftyp", "a film (MP4)", "Export its frames as PNG."),
    (0, b"8BPS", "a Photoshop document", _EXPORT),
    (0, b"%PDF", "a PDF document", "Export its pages as PNG."),
    (0, b"PK\3\4", "a ZIP archive", "Unpack it."),
    (0, b"\x1f\x8b", "compressed with gzip", "Unpack it."),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it."),
    (0, b"Rar!", "a RAR archive", "Unpack it."),
    (0, b"BZh", "compressed with bzip2", "Unpack it."),
    (0, b"\xfd7zXZ\0", "compressed with xz", "Unpack it."),
    (344, b"n+1\0", "a NIfTI volume", "Export its slices as 16-bit PNG."),
    (0, b"NRRD", "an NRRD volume", "Export its slices as 16-bit PNG."),
    (0, b"\x93NUMPY", "a NumPy array", "Save it as 16-bit PNG."),
    (0, b"\x89HDF", "an HDF5 file", "Export its images as PNG."),
    (0, b"Mac OS X        ", "a note of macOS beside a file (AppleDouble)", "Name the image itself."),
    (26, b"Mac OS X        ", "a note of macOS beside a file (AppleDouble)", "Name the image itself."),
    (0, b"\0\5\x16\7", "a note of macOS beside a file (AppleDouble)", "Name the image itself."),
)
_SHOWN = 512


def describe(data: bytes) -> tuple[str, str]:
    """Return what a file is, and what to do about it; empty strings where its content doesn't say.

    Parameters
    ----------
    data
        Its bytes.
    """
    for offset, signature, name, remedy in _BINARIES:
        if data[offset : offset + len(signature)] == signature:
            return name, remedy
    start = data[:_SHOWN]
    if not any(start) and not data.strip(b"\0"):
        return "nothing but zero bytes", "Fetch it again."
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.replace(b"\0", b"")
    text = _LEADING.sub(b"", start).lower()
    for signature, name, remedy in _TEXTS:
        if text.startswith(signature):
            return name, remedy
    if b"<html" in text:
        return "an HTML page, such as a server sends instead of a file", _AGAIN
    if _is_text(data[:_SHOWN]):
        line = data[:_SHOWN].decode("utf-8", "replace").strip().splitlines()[0][:60]
        return f"a text, which begins {line!r}", _AGAIN
    return "", ""


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return False
        text = start[: error.start].decode("utf-8")  # a character cut at the end
    return bool(text.strip()) and all(character.isprintable() or character.isspace() for character in text)
