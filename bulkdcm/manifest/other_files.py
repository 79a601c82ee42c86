"""What a file is that was given as a manifest and is none, and what to do with it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from bulkdcm import names
from bulkdcm.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

_SAVE = "Save the sheet as CSV (UTF-8)"
_AGAIN = "Save or fetch it again"
_UNPACK = "Unpack it first"
_FETCH = "Fetch the CSV again"
_WRITE = "Write it as CSV, or as Parquet"
_IMAGES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"BM": "a BMP image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image",
    b"\xff\x4f\xff\x51": "a JPEG 2000 image",
}
_OTHERS = {
    b"\x1f\x8b": ("gzip", _UNPACK),
    b"BZh": ("bzip2", _UNPACK),
    b"\xfd7zXZ": ("xz", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("Zstandard", _UNPACK),
    b"7z\xbc\xaf": ("a 7-Zip archive", _UNPACK),
    b"\x89HDF": ("HDF5", _WRITE),
    b"\x93NUMPY": ("a NumPy array", _WRITE),
    b"SQLite format 3": ("an SQLite database", _WRITE),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook (.xls)", _SAVE),
    b"%PDF": ("PDF", "Name the CSV file"),
    b"{\\rtf": ("RTF", "Save it as CSV (UTF-8)"),
    b"<!doctype html": ("an HTML page", _FETCH),
    b"<html": ("an HTML page", _FETCH),
    b"<?xml": ("XML", _WRITE),
    b"version https://git-lfs": ("a Git LFS pointer", "Fetch the file itself with git lfs pull"),
}


def refuse(path: Path) -> None:
    """Refuse what is no file.

    Raises
    ------
    ManifestError
        If it is a folder, not there, or not regular.
    """
    try:
        if path.is_dir():
            msg = (
                f"{path}: this is a folder. Name a manifest, such as a CSV file; {_drafted(path)} the images in it. "
                "To go on with a run, name its output folder alone."
            )
            raise ManifestError(msg)
        if not path.is_file():
            what = "no such file" if not path.exists() else "not a regular file"
            msg = f"{path}: {what}. Name the manifest, such as a CSV file."
            raise ManifestError(msg)
    except OSError as error:
        msg = f"{path}: {error.strerror}."
        raise ManifestError(msg) from error
    except ValueError as error:
        msg = f"{path}: no such file: {error}."
        raise ManifestError(msg) from error


def refuse_content(path: Path, head: bytes, file: IO[bytes]) -> None:
    """Refuse what can't be a manifest by what it holds.

    Parameters
    ----------
    path
        For messages.
    head
        Its first bytes.
    file
        The whole.

    Raises
    ------
    ManifestError
        If it is empty, or of another format; says which, and what to do.
    """
    if not head:
        msg = f"{path}: the file is empty. The first line names the columns, one of them `source`."
        raise ManifestError(msg)
    if found := _named(path, head, file):
        msg = f"{path}: this is {found}."
        raise ManifestError(msg)


def _drafted(folder: Path) -> str:
    return f"`bulkdcm init {names.word(str(folder))} --out manifest.csv` writes one of"


def _named(path: Path, head: bytes, file: IO[bytes]) -> str:
    """Return what a file is and what to do with it; empty if it may be text."""
    image = next((what for magic, what in _IMAGES.items() if head.startswith(magic)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        image = "a WebP image"
    if head[128:] == b"DICM":
        image = "a DICOM file"
    if image and (image != "a BMP image" or b"\0" in head):  # a name may begin so
        return f"{image}. Name the manifest, such as a CSV file; {_drafted(path.parent)} the images in its folder"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(file)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, (what, remedy) in _OTHERS.items():
        if head.startswith(magic) or text.lower().startswith(magic.lower()):
            return f"{what}. {remedy}"
    return ""


def _zipped(file: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            kind = (
                archive.read("mimetype")[:80]
                if "mimetype" in names and archive.getinfo("mimetype").file_size < 80
                else b""
            )
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return f"a zip archive or a workbook, and damaged. {_AGAIN}"
    if any(name.startswith("xl/") for name in names):
        return "" if "xl/workbook.bin" not in names else f"a binary Excel workbook (.xlsb). {_SAVE}"
    if b"spreadsheet" in kind:
        return f"an OpenDocument spreadsheet. {_SAVE}"
    return f"a zip archive. {_UNPACK}"
