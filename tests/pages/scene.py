"""A run as people have them: the demo, beside files that are broken in the usual ways, and a second run after some has changed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

import bulkdcm

DEMO = Path(__file__).parents[2] / "manifests" / "demo"
_LIKE = {"PatientName": "Noether^Emmy", "PatientSex": "F", "StudyDate": "20240301", "StudyTime": "090000", "StudyID": "9", "SeriesNumber": "1"}  # fmt: skip


def _break(images: Path) -> list[str]:
    """Make files beside the demo's; return their names."""
    folder = images / "arrived"
    folder.mkdir()
    whole = (images / "chest" / "frontal.png").read_bytes()
    photo = (images / "skin" / "overview.jpg").read_bytes()
    names = {
        "cut_off.png": whole[: len(whole) // 2],
        "cut_off_too.png": whole[: len(whole) // 3],
        "bit_flipped.png": whole[:5000] + bytes([whole[5000] ^ 8]) + whole[5001:],
        "not_found.png": b"<!doctype html><title>404 Not Found</title>",
        "half.jpg": photo[: len(photo) // 2],
        "copy_of_frontal.png": whole,
        "second_copy.png": whole,
    }
    for name, data in names.items():
        (folder / name).write_bytes(data)
    shade = np.linspace(0, 255, 200 * 160).astype(np.uint8).reshape(160, 200)
    Image.fromarray(np.dstack([shade, shade, 255 - shade, shade])).save(folder / "see_through.png")
    return [*names, "see_through.png", "never_copied.png"]


def run(folder: Path) -> Path:
    """Return the output folder of the second run."""
    place = folder / "demo"
    shutil.copytree(DEMO, place)
    with (place / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, name in enumerate(_break(place / "images"), start=1):
        rows.append({**dict.fromkeys(rows[0], ""), **_LIKE, "source": f"images/arrived/{name}", "sop_class": "SC", "PatientID": f"N{number:03}", "AccessionNumber": f"N{number}", "InstanceNumber": str(number), "Modality": "OT"})  # fmt: skip
    with (place / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    out = folder / "dicom"
    for step in (None, _change):
        if step:
            step(place / "images")
        bulkdcm.convert(place / "manifest.csv", out, skip_invalid=True, n_jobs=2, chunk_size=2, fsync=False)
    return out


def _change(images: Path) -> None:
    """Mend a file that was broken, and break some that were whole: their rows keep their earlier outputs."""
    whole = (images / "chest" / "frontal.png").read_bytes()
    (images / "arrived" / "cut_off_too.png").write_bytes(whole)
    (images / "stomach" / "antrum.jpg").write_bytes((images / "stomach" / "antrum.jpg").read_bytes()[:900])
    page = images / "smear" / "field_2.png"
    page.write_bytes(page.read_bytes()[:-3000])
