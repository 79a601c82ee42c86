"""A small manifest of every path through the tool, and the real command."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

HEADER = (
    "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,BodyPartExamined"
)


def noise(shape, dtype=np.uint8):
    rng = np.random.default_rng(7)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


@pytest.fixture
def dataset(tmp_path):
    """Return a folder with manifest.csv and 24 good images, PNG and JPEG, gray and colour, of three patients."""
    folder = tmp_path / "data"
    lines = [HEADER]
    for number in range(24):
        patient, kind = number % 3, number % 4
        name = f"p{patient}/{number:02d}.{'png' if kind < 2 else 'jpg'}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (20 + number, 31) if kind % 2 == 0 else (20 + number, 31, 3)
        Image.fromarray(np.roll(noise(shape), number)).save(path)
        lines.append(f"{name},00{patient},患者{patient}^一,F,20230102,101112,1,1,{number + 1},CHEST")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def add_rows():
    def add(folder: Path, *rows: str) -> None:
        manifest = folder / "manifest.csv"
        manifest.write_text(
            manifest.read_text(encoding="utf-8") + "".join(f"{row}\n" for row in rows), encoding="utf-8"
        )

    return add


@pytest.fixture
def digests():
    """Return a function: folder to the SHA-256 of each DICOM file in it by its relative path."""

    def of(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*.dcm"))
        }

    return of
