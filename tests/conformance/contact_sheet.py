"""What viewers show of every class, pixel kind and range of values, on one sheet: `python -m tests.conformance.contact_sheet FILE`.

A row a class and range: as dcmtk and as pydicom show a ramp from the lowest to the highest value. A dark cell is a fault, unless
its class has no VOI LUT.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.conformance import test_rendering as rendering

_CELL, _TEXT, _ACROSS = 72, 110, 4
_BACKGROUND = 90


def sheet() -> Image.Image:
    """Return the sheet."""
    with tempfile.TemporaryDirectory() as folder:
        files = rendering.converted(Path(folder), rendering.CHOSEN)
        shown = {one: (rendering.by_dcmtk(path), rendering.by_pydicom(path)) for one, path in files.items()}
    width, rows = _TEXT + 2 * _CELL, -(-len(shown) // _ACROSS)
    page = Image.new("L", (_ACROSS * width, rows * (_CELL + 4)), _BACKGROUND)
    draw = ImageDraw.Draw(page)
    for number, (one, pictures) in enumerate(shown.items()):
        left, top = number // rows * width, number % rows * (_CELL + 4)
        note = "\n(no VOI LUT)" if rendering.exceptions(one) else ""
        draw.text((left + 6, top + 20), f"{one[0]}\n{one[1]}{note}", fill=255)
        for place, picture in enumerate(pictures):
            page.paste(
                Image.fromarray(np.asarray(picture)).resize((_CELL, _CELL)), (left + _TEXT + place * _CELL, top + 2)
            )
    return page


if __name__ == "__main__":
    sheet().save(sys.argv[1])
