"""No terminal gets what stands in names, cells, headers and DICOM values: it is shown instead."""

from __future__ import annotations

import csv
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

# Colour, title and bell; CSI as one byte of C1; the direction turned; a line separator.
EVIL = "\x1b[31mR\x1b]0;T\x07\x9b31m\u202egnp\u2028"
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]")
CLI = Path(__file__).parents[2] / "bulkdcm" / "cli"


def dicom(path: Path) -> None:
    """Write a DICOM file whose values, character set among them, hold escapes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.SpecificCharacterSet, dataset.StudyDate, dataset.PatientName = "ISO_IR 6", "20200101", "abcdefgh"
    dataset.Rows = dataset.Columns = 2
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 7, 0, 1
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", b"1234"
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    for plain, evil in (
        (b"ISO_IR 6", b"\x1b[31m\x9bQ\x07"),
        (b"20200101", b"\x1b[31m\x9bQ\x07"),
        (b"abcdefgh", b"a\x1b[31m\xfch"),
    ):
        assert plain in data
        data = data.replace(plain, evil)
    path.write_bytes(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of files with such names, cells and values."""
    root = tmp_path_factory.mktemp("escapes")
    images = root / f"images{EVIL}"
    images.mkdir()
    # The preflight refuses control characters in sources; what only turns text gets further.
    for name in ("fine", f"{EVIL}a", "\u202egnp"):
        Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(images / f"{name}.png")
    (images / "broken\u202egnp.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    (images / f"{EVIL}.txt").write_text("x", encoding="utf-8")
    dicom(root / f"{EVIL}.dcm")
    dicom(images / "x.dcm")
    tables = {
        f"cells{EVIL}.csv": [["source", "PatientID", f"Foo{EVIL}", "sop_class"], [f"{EVIL}a.png", EVIL, EVIL, EVIL]],
        "rows.csv": [["source", "PatientID"], ["\u202egnp.png", "1"], ["broken\u202egnp.png", "2"], ["x.dcm", "3"]],
    }
    for name, rows in tables.items():
        with (root / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    (root / f"{EVIL}.toml").write_text('[columns]\nsource = "a"\n"P\\u001b[31m" = "x"\n', encoding="utf-8")
    return root


COMMANDS = {
    "show": "show {evil}.dcm",
    "verify": "verify .",
    "check": "check cells{evil}.csv --images images{evil}",
    "template": "check rows.csv --images images{evil} --template {evil}.dcm",
    "mapping": "check rows.csv --mapping {evil}.toml",
    "set": "check rows.csv --set {evil}=1",
    "missing": "check {evil}",
    "folder": "check images{evil}",
    "images": "check rows.csv --images {evil}",
    "where": "convert rows.csv --images images{evil} --out o1 --where {evil}==1",
    "rows": "convert rows.csv --images images{evil} --out o2 --rows {evil}",
    "no option": "convert rows.csv --nope{evil}",
    "no command": "nope{evil}",
    "convert": "convert rows.csv --images images{evil} --out out{evil}",
    "sequential": "convert rows.csv --images images{evil} --out o3 --backend sequential",
    "skip invalid": "convert cells{evil}.csv --images images{evil} --out o4 --skip-invalid --ignore-column Foo{evil}",
    "init": "init images{evil} --out {evil}.new",
    "init again": "init images{evil} --out {evil}.dcm",
    "from": "init --from cells{evil}.csv --out {evil}.from",
}


def on_a_terminal(command: list[str], cwd: Path) -> str:
    """Run a command whose standard streams are a terminal, and return what that gets."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", "PYTHONWARNINGS": ""}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=environment) as process:
        os.close(theirs)
        got = b""
        try:
            while part := os.read(ours, 65536):
                got += part
        except OSError:  # Linux says so of a terminal whose other end is closed
            pass
        process.wait(timeout=100)
    os.close(ours)
    return got.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_what_others_have_written_is_shown(name, folder):
    arguments = [part.format(evil=EVIL) for part in COMMANDS[name].split(" ")]
    command = [sys.executable, "-m", "bulkdcm", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=folder, check=False, timeout=200)
    said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
    assert said
    assert "Traceback" not in said
    assert not ACTS.search(said), ascii(said)


@pytest.mark.parametrize("name", ["show", "check"])
def test_a_terminal_gets_no_more_than_a_pipe(name, folder):
    arguments = [part.format(evil=EVIL) for part in COMMANDS[name].split(" ")]
    said = on_a_terminal([sys.executable, "-m", "bulkdcm", *arguments], folder)
    colours = re.sub(r"\x1b\[(?:\d+;?)*m", "", said) if name == "check" else said  # severities have some
    assert not ACTS.search(colours), ascii(said)
    assert r"\x1b[31m" in said


# What prints texts of ours, without a name in them; and events as JSON, which escapes whatever is in it.
_ELSEWHERE = {"output.py": 1, "classes.py": 1, "completion.py": 1, "events.py": 1, "help.py": 1, "mappings.py": 2}


def test_commands_print_through_one_function():
    for path in CLI.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        printed = len(re.findall(r"click\.s?echo\(|\bprint\(", re.sub(r"onsole[^\n]*\.print\(", "", text)))
        assert printed == _ELSEWHERE.get(path.name, 0), path.name
