"""What image files say of themselves, as columns: only where it is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import Image

from bulkdcm.attributes import values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_EXIF_IFD, _TAKEN, _CHANGED = 0x8769, 0x9003, 0x0132
_MM_AN_INCH = 25.4
_LEAST_DPI, _MOST_DPI = 10, 20_000  # others are placeholders


def taken(path: Path) -> dict[str, str]:
    """Return when the picture was taken, by its EXIF: the acquisition's date and time."""
    try:
        with Image.open(path) as image:
            exif = image.getexif()
            text = str(exif.get_ifd(_EXIF_IFD).get(_TAKEN) or exif.get(_CHANGED) or "")
    except Exception:  # noqa: BLE001  # a damaged file says nothing of itself here; its conversion will say what is wrong
        text = ""
    match = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)\0?", text)
    date, time = ("".join(match.groups()[:3]), "".join(match.groups()[3:])) if match else ("", "")
    found = {"AcquisitionDate": date, "AcquisitionTime": time}
    # A camera whose clock was never set says 0000:00:00.
    impossible = any(values.broken_rule(name, text) for name, text in found.items() if text)
    return dict.fromkeys(found, "") if impossible else found


def density(path: Path) -> dict[str, str]:
    """Return the size of a pixel on the film or paper that was scanned, by the file's density."""
    try:
        with Image.open(path) as image:
            across, down = image.info.get("dpi", (0, 0))
    except Exception:  # noqa: BLE001  # as above
        across = down = 0
    known = all(_LEAST_DPI <= float(dpi) <= _MOST_DPI for dpi in (across, down))
    # Rows first (PS3.3 10.7.1.3): the distance between rows is the vertical one.
    text = "\\".join(f"{_MM_AN_INCH / float(dpi):.6g}" for dpi in (down, across)) if known else ""
    return {"NominalScannedPixelSpacing": text}


FACTS: dict[str, Callable[[Path], dict[str, str]]] = {"date": taken, "density": density}
