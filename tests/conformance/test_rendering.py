"""What viewers show: no class, pixel kind or range of values comes out dark, and none is darker than its source."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_voi_lut

import bulkdcm
from bulkdcm.iods import BY_NAME, IODS
from tests.conformance import archives, cases, readers

if TYPE_CHECKING:
    from pathlib import Path

RANGES = {"0-1": (0, 1), "0-300": (0, 300), "12 bits": (0, 4095), "full": (0, 65535)}
LEVELS, BLACK, WHITE = 200, 2, 253  # of 255, of a ramp
# Orthanc 1.10 takes a window for centre - width / 2 to centre + width / 2, which are half a value more (PS3.3 C.11.2.1.2.1).
ORTHANC_WHITE = {"0-1": 127, "mask": 127}


def series() -> list[tuple[str, str]]:
    """Return class and range of every image: gray of 8 bits is a mask or full, as its source was shown."""
    found = []
    for iod in IODS:
        if "gray16" in iod.pixel_kinds:
            found += [(iod.alias, name) for name in RANGES]
        if "gray8" in iod.pixel_kinds:
            found += [(iod.alias, "8 bits"), *([(iod.alias, "mask")] if iod.voi_lut else [])]
    return found


def ramp(name: str) -> np.ndarray:
    """Return an image of 256 x 256 that goes evenly through a range."""
    if name == "8 bits":
        return np.linspace(0, 255, 65536).round().astype(np.uint8).reshape(256, 256)
    if name == "mask":
        return np.repeat(np.array([[0, 1]], np.uint8), 128, axis=1).repeat(256, axis=0)
    first, last = RANGES[name]
    return np.linspace(first, last, 65536).round().astype(np.uint16).reshape(256, 256)


def converted(folder: Path, chosen: list[tuple[str, str]]) -> dict[tuple[str, str], Path]:
    rows = []
    for number, (alias, name) in enumerate(chosen, start=1):
        source = f"{alias}_{name.replace(' ', '_')}.png"
        (folder / source).write_bytes(imagecodecs.png_encode(ramp(name)))
        row = {**cases.COMMON, **cases.COMPLETE[alias], "source": source, "sop_class": alias, "SeriesNumber": number}
        rows.append(row | ({"RescaleIntercept": "0"} if alias == "CT" else {}))
    cases.write_manifest(folder / "m.csv", rows)
    report = bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential", fsync=False)
    assert (report.table["status"] == "converted").all(), report.table["message"].tolist()
    return {one: folder / "out" / output for one, output in zip(chosen, report.table["output"], strict=True)}


def assert_bright(shown: np.ndarray, one: tuple[str, str], viewer: str, *, white: int = WHITE) -> None:
    levels = np.unique(shown)
    wanted = 2 if one[1] in {"0-1", "mask"} else LEVELS
    assert len(levels) >= wanted, f"{one} in {viewer}: {len(levels)} levels"
    assert levels[0] <= BLACK, f"{one} in {viewer}: the darkest is {levels[0]}"
    assert levels[-1] >= white, f"{one} in {viewer}: the brightest is {levels[-1]}"


def by_dcmtk(path: Path) -> np.ndarray:
    """Return an image as dcmtk shows it with the file's first window, or as it is without one."""
    window = ["+Wi", "1"] if "WindowWidth" in pydicom.dcmread(path, stop_before_pixels=True) else []
    target = path.with_suffix(".pgm")
    finished = readers.run("dcmj2pnm", *window, "+op", path, target)
    assert target.exists(), finished.stderr
    return np.asarray(Image.open(target))


def by_pydicom(path: Path) -> np.ndarray:
    """Return an image through Modality LUT and VOI LUT, scaled to 8 bits."""
    dataset = pydicom.dcmread(path)
    shown = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(float)
    top = 2**dataset.BitsStored - 1
    return np.clip(shown / top * 255, 0, 255).round().astype(np.uint8)


def exceptions(one: tuple[str, str]) -> bool:
    """Whether nothing can be done: a class without a VOI LUT shows stored values as they are."""
    return not BY_NAME[one[0]].voi_lut and one[1] in RANGES and one[1] != "full"


CHOSEN = series()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[tuple[str, str], Path]:
    return converted(tmp_path_factory.mktemp("rendering"), CHOSEN)


def test_only_ophthalmic_images_of_16_bits_are_left_dark():
    assert {alias for alias, name in CHOSEN if exceptions((alias, name))} == {"OP16"}


@pytest.mark.parametrize("viewer", [by_dcmtk, by_pydicom], ids=["dcmtk", "pydicom"])
def test_a_ramp_is_shown_from_black_to_white(viewer, files):
    readers.need("dcmj2pnm")
    for one, path in files.items():
        if not exceptions(one):
            assert_bright(viewer(path), one, viewer.__name__)


def test_orthanc_shows_it_so_too(files, tmp_path):
    readers.need("Orthanc", "storescu")
    known = {one: path for one, path in files.items() if one[0] != "DERM" and not exceptions(one)}
    with archives.orthanc(tmp_path) as server:
        assert not archives.store(list(known.values()), "ORTHANC", server.dicom_port)
        names = server.sop_instance_uids()
        for one, path in known.items():
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            name = names[dataset.SOPInstanceUID]
            uids = (dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
            rendered = "/dicom-web/studies/{}/series/{}/instances/{}/rendered".format(*uids)
            for view in (f"/instances/{name}/preview", f"/instances/{name}/rendered", rendered):
                shown = np.asarray(Image.open(io.BytesIO(server.get(view, "image/png"))).convert("L"))
                assert_bright(shown, one, view, white=ORTHANC_WHITE.get(one[1], WHITE))
