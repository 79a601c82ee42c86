"""Bytes to a frame. The first bytes say what a file is, its name does not. A new format is one entry in `READERS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.errors import PixelError
from bulkdcm.images import foreign, frames, jpeg, jpeg_transcode, pillow, png
from bulkdcm.images.png_chunks import SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.model import IOD, Frame, Source
    from bulkdcm.setting_parts import PixelSettings

    Reader = Callable[[Source, PixelSettings, IOD], Frame]

__all__ = ["READERS", "read", "read_one", "transcoder"]

# Magic bytes to reader, the first that fits.
READERS: tuple[tuple[str, tuple[bytes, ...], Reader], ...] = (
    ("PNG", (SIGNATURE,), png.read),
    ("JPEG", (b"\xff\xd8\xff",), jpeg.read),
    ("BMP", (b"BM",), pillow.read),
    ("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), pillow.read),
    ("WebP", (b"RIFF",), pillow.read),
    ("GIF", (b"GIF87a", b"GIF89a"), pillow.read),
)


def read(sources: Sequence[Source], settings: PixelSettings, iod: IOD) -> Frame:
    """Return the image of a file, or that of several files which are its frames.

    Parameters
    ----------
    sources
        One file, or in a class with frames several.
    settings
        Of the run.
    iod
        The SOP class, which says whether the image has frames and what streams it takes.

    Raises
    ------
    PixelError
        If a file is no format we read, its reader refuses it, or frames are not alike.
    """
    if iod.multi_frame:
        return frames.read_all(sources, settings, iod, read_one)
    (source,) = sources
    return read_one(source, settings, iod)


def read_one(source: Source, settings: PixelSettings, iod: IOD) -> Frame:
    """Return the image of one file, found by its content.

    Raises
    ------
    PixelError
        If it is no format we read, or its reader refuses it.
    """
    for _, signatures, reader in READERS:
        if source.data.startswith(signatures):
            return reader(source, settings, iod)
    if source.data[128:132] == b"DICM":
        msg = f"{source.path}: a DICOM file. Give the row sop_class DICOM to re-stamp it."
        raise PixelError(msg)
    what, remedy = foreign.describe(source.data)
    if what:
        msg = f"{source.path}: not an image we read but {what}. {remedy}"
        raise PixelError(msg)
    names = ", ".join(name for name, _, _ in READERS)
    msg = f"{source.path}: not an image we read ({names}); it begins with {source.data[:8]!r}. Convert it to PNG."
    raise PixelError(msg)


def transcoder(settings: PixelSettings) -> str:
    """Return the library that moves a JPEG's coefficients, which decides the bytes; empty if none is asked for.

    Raises
    ------
    SettingsError
        If it is missing.
    """
    return jpeg_transcode.version() if settings.jpeg == jpeg.TRANSCODE else ""
