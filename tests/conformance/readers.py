"""The validators and readers that others use, each as a function of files; a missing one skips, or fails in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from bulkdcm.validation import verify

TOOLS = {
    "dciodvfy": "dicom3tools",
    "dcentvfy": "dicom3tools",
    "dcmdump": "dcmtk",
    "dcmftest": "dcmtk",
    "dcmconv": "dcmtk",
    "dcmdjpeg": "dcmtk",
    "dcmdjpls": "dcmtk",
    "dcmdrle": "dcmtk",
    "dcmj2pnm": "dcmtk",
    "storescu": "dcmtk",
    "storescp": "dcmtk",
    "gdcminfo": "libgdcm-tools",
    "gdcmconv": "libgdcm-tools",
    "Orthanc": "orthanc",
    "chromium": "chromium",
    "jpegtran": "libjpeg-turbo-progs",
    "strace": "strace",
    "lowntfs-3g": "ntfs-3g",
    "mkntfs": "ntfs-3g",
}
JPEG_LS = "1.2.840.10008.1.2.4.80"
_FINDINGS = ("Error", "Warning")


def need(*names: str) -> None:
    """Skip the test where a tool is missing; fail it where BULKDCM_REQUIRE_VALIDATORS says that it must be there."""
    missing = [f"{name} (Debian: {TOOLS[name]})" for name in names if shutil.which(name) is None]
    if missing:
        message = f"not installed: {', '.join(missing)}"
        if os.environ.get("BULKDCM_REQUIRE_VALIDATORS") == "1":
            pytest.fail(message)
        pytest.skip(message)


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=120,
        encoding="utf-8",
    )


def findings(finished: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the errors and warnings a tool printed; its failing is one too."""
    lines = (finished.stdout + finished.stderr).splitlines()
    found = [line.strip() for line in lines if line.lstrip().startswith((*_FINDINGS, "E:", "W:", "F:"))]
    if finished.returncode and not found:
        found.append(f"Error - exit code {finished.returncode}: {' '.join(lines[-2:])}")
    return found


def dciodvfy(path: Path) -> list[str]:
    """Return what dicom3tools finds in one file."""
    return findings(run("dciodvfy", path))


def dciodvfy_new(path: Path) -> list[str]:
    """Return what dicom3tools' newer reading of the IODs finds in one file."""
    return findings(run("dciodvfy", "-new", path))


def dcentvfy(paths: list[Path]) -> list[str]:
    """Return what contradicts itself between the files of one patient, study or series."""
    return findings(run("dcentvfy", *paths))


def dcmdump(path: Path) -> list[str]:
    """Return what dcmtk says while it reads a file to its end."""
    return findings(run("dcmdump", "+E", path))


def dcmftest(path: Path) -> list[str]:
    """Return whether dcmtk takes it for a Part 10 file."""
    finished = run("dcmftest", path)
    return [] if finished.stdout.startswith("yes:") else [f"Error - {finished.stdout.strip()}"]


def syntax_of(path: Path) -> str:
    """Return the Transfer Syntax UID of a file."""
    return str(pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID)


def dcmj2pnm(path: Path) -> list[str]:
    """Return whether dcmtk can make a picture of it."""
    with tempfile.TemporaryDirectory() as folder:
        program = "dcml2pnm" if syntax_of(path) == JPEG_LS else "dcmj2pnm"
        return findings(run(program, "+op", path, Path(folder, "picture.pnm")))


def gdcminfo(path: Path) -> list[str]:
    """Return what GDCM says of it."""
    return findings(run("gdcminfo", path))


def pydicom_read(path: Path) -> list[str]:
    """Return whether pydicom reads every element."""
    try:
        with pydicom.config.disable_value_validation():
            pydicom.dcmread(path).walk(lambda _, element: element.value)
    except Exception as error:  # noqa: BLE001  # whatever it says is the finding
        return [f"Error - {error}"]
    return []


READERS = {
    "dciodvfy": dciodvfy,
    "dciodvfy -new": dciodvfy_new,
    "dcmftest": dcmftest,
    "dcmdump": dcmdump,
    "dcmj2pnm": dcmj2pnm,
    "gdcminfo": gdcminfo,
    "pydicom": pydicom_read,
    "bulkdcm verify": lambda path: [f"Error - {finding}" for finding in verify(path)],
}

_DCMTK_DECODERS = {
    "1.2.840.10008.1.2.4.50": "dcmdjpeg",
    "1.2.840.10008.1.2.4.51": "dcmdjpeg",
    "1.2.840.10008.1.2.4.57": "dcmdjpeg",
    "1.2.840.10008.1.2.4.70": "dcmdjpeg",
    "1.2.840.10008.1.2.4.80": "dcmdjpls",
    "1.2.840.10008.1.2.5": "dcmdrle",
}


def dcmtk_pixels(path: Path) -> np.ndarray:
    """Return the pixels as dcmtk decodes them."""
    syntax = syntax_of(path)
    return _converted(path, _DCMTK_DECODERS.get(syntax, "dcmconv"), "+te" if syntax not in _DCMTK_DECODERS else None)


def gdcm_pixels(path: Path) -> np.ndarray:
    """Return the pixels as GDCM decodes them."""
    return _converted(path, "gdcmconv", "--raw")


def pydicom_pixels(path: Path) -> np.ndarray:
    """Return the pixels as pydicom and its plugins decode them, colour as RGB."""
    return pydicom.dcmread(path).pixel_array


def _converted(path: Path, program: str, option: str | None) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "native.dcm")
        finished = run(program, *([option] if option else []), path, out)
        assert out.exists(), f"{program} {path}: {finished.stderr}"
        return native_pixels(out)


def native_pixels(path: Path) -> np.ndarray:
    """Return the bytes of a native file's Pixel Data, shaped; no decoder has a part in it."""
    dataset = pydicom.dcmread(path)
    dtype = np.dtype("<u2" if dataset.BitsAllocated == 16 else "u1")
    frames, samples = int(dataset.get("NumberOfFrames", 1)), dataset.SamplesPerPixel
    count = dataset.Rows * dataset.Columns * samples * frames
    flat = np.frombuffer(dataset.PixelData, dtype, count)
    if samples > 1 and dataset.PlanarConfiguration:
        shaped = flat.reshape(frames, samples, dataset.Rows, dataset.Columns).transpose(0, 2, 3, 1)
    else:
        shaped = flat.reshape(frames, dataset.Rows, dataset.Columns, samples)
    shaped = shaped[..., 0] if samples == 1 else shaped
    return shaped[0] if frames == 1 else shaped
