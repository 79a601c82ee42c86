"""Public datasets in small: folders, tables with their real heads, and cells as awkward as the real ones; all made here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A dataset as it lies on a disk once it is unpacked, and what its rows must become."""

    table: Path
    images: Path | None = None
    "For --images, if it isn't the table's folder."
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    "Source to what its file must say, in the table's order; an empty value: there is no such attribute, or it is empty."
    pixels: dict[str, Any] = field(default_factory=dict)
    "Source to the pixels that its file must hold."


def write_table(path: Path, *lines: str, encoding: str = "utf-8", end: str = "\n") -> Path:
    """Write the lines of a table and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def gray(number: int, bits: int = 8) -> Any:
    """Return gray pixels, different for each number."""
    samples = np.random.default_rng(number).integers(0, 2**bits, (24, 20 + number))
    return samples.astype(np.uint16 if bits == 16 else np.uint8)


def color(number: int) -> Any:
    """Return pixels of three different channels."""
    return np.random.default_rng(number).integers(0, 256, (24, 20 + number, 3)).astype(np.uint8)


def write_images(root: Path, *names: str, make: Any = gray) -> dict[str, Any]:
    """Write an image under each name, in the form that its ending says; return the pixels by name."""
    made = {}
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made[name] = make(number)
        if path.suffix == ".png":
            path.write_bytes(imagecodecs.png_encode(made[name]))
        else:
            Image.fromarray(made[name]).save(path, "JPEG", quality=90)
    return made
