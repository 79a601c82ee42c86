"""What image files say of themselves, as columns: only where it is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import Image

from bulkdcm import iods
from bulkdcm.attributes import values
from bulkdcm.images import exif

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    File = Path | IO[bytes]

SPACING = "NominalScannedPixelSpacing"
_SCANS = {"DF", "SD", "SI"}  # Conversion Types
_EXIF_IFD, _TAKEN, _CHANGED = 0x8769, 0x9003, 0x0132
_MM_AN_INCH = 25.4
_LEAST_DPI, _MOST_DPI = 10, 20_000  # others are placeholders
# What software writes where nobody has measured anything: 72 and 96 dots an inch, also rounded to whole dots a cm.
_SOFTWARE_DPI, _ROUNDING = (72, 96), 1
_RESOLUTION_UNIT = 0x0128
_DOTS_OF_UNIT = {2: 1.0, 3: 2.54}


def taken(file: File) -> dict[str, str]:
    """Return when the picture was taken, by its EXIF: the acquisition's date and time."""
    try:
        with Image.open(file) as image:
            tags = image.getexif()
            text = str(tags.get_ifd(_EXIF_IFD).get(_TAKEN) or tags.get(_CHANGED) or "")
    except Exception:  # noqa: BLE001  # a damaged file says nothing of itself here; its conversion will say what is wrong
        text = ""
    match = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)\0?", text)
    date, time = ("".join(match.groups()[:3]), "".join(match.groups()[3:])) if match else ("", "")
    found = {"AcquisitionDate": date, "AcquisitionTime": time}
    # A camera whose clock was never set says 0000:00:00.
    impossible = any(values.broken_rule(name, text) for name, text in found.items() if text)
    return dict.fromkeys(found, "") if impossible else found


def density(file: File) -> dict[str, str]:
    """Return the size of a pixel on the film or paper that was scanned, by the file's density."""
    try:
        with Image.open(file) as image:
            across, down = _dots_an_inch(image)
            # Pillow turns a TIFF by itself.
            turned = image.format != "TIFF" and image.getexif().get(exif.ORIENTATION, 1) in exif.EXCHANGED
    except Exception:  # noqa: BLE001  # as above
        across, down, turned = 0, 0, False
    if turned:
        across, down = down, across
    known = all(_measured(float(dpi)) for dpi in (across, down))
    # Rows first (PS3.3 10.7.1.3): the distance between rows is the vertical one.
    text = "\\".join(f"{_MM_AN_INCH / float(dpi):.6g}" for dpi in (down, across)) if known else ""
    return {SPACING: text}


def place_spacing(row: dict[str, str]) -> None:
    """Give the size of a pixel to the attribute that the row's SOP class has for it.

    Multi-frame Secondary Capture has one of scans only (PS3.3 C.8.6.3).
    """
    iod = iods.BY_NAME.get(row.get("sop_class") or iods.DEFAULT)
    if SPACING not in row or iod is None:
        return
    if iod.spacing != SPACING:
        row[iod.spacing] = row.pop(SPACING)
    elif iod.multi_frame and row.get("ConversionType") not in _SCANS:
        row[SPACING] = ""


def _dots_an_inch(image: Image.Image) -> tuple[float, float]:
    """Return the density across and down; 0 where the file has none."""
    if image.format != "JPEG" or image.info.get("jfif_unit") in {1, 2}:
        return image.info.get("dpi", (0, 0))  # type: ignore[no-any-return]  # Pillow gives facts no types
    # Pillow makes 72 of an EXIF without a density, and knows one direction only.
    across, down, unit = (
        image.getexif().get(tag, 0) for tag in (exif.X_RESOLUTION, exif.Y_RESOLUTION, _RESOLUTION_UNIT)
    )
    scale = _DOTS_OF_UNIT.get(unit, 0)
    return float(across) * scale, float(down) * scale


def _measured(dpi: float) -> bool:
    return _LEAST_DPI <= dpi <= _MOST_DPI and not any(abs(dpi - usual) < _ROUNDING for usual in _SOFTWARE_DPI)


FACTS: dict[str, Callable[[File], dict[str, str]]] = {"date": taken, "density": density}
