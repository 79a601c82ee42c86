"""Every SOP class, pixel kind and transfer syntax through every validator and reader: `python -m tests.conformance.matrix`.

A known gap is a tool's, not ours: what it says, of what, and why. Everything else that any reader says is a fault.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from bulkdcm.iods import BY_NAME, IODS
from bulkdcm.settings import TRANSFER_SYNTAXES
from tests.conformance import cases, readers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.cases import Case

SYNTAXES = tuple(f"{name}:90" if name == "jpeg-baseline" else name for name in TRANSFER_SYNTAXES)
LOSSY = "jpeg-baseline:90"


@dataclass(frozen=True)
class Gap:
    """What a tool of this age can't do."""

    reader: str
    syntax: str
    why: str
    kind: str = ""
    alias: str = ""


GAPS = (
    *(
        Gap(reader, "", "GDCM 3.0 does not know the class", alias=alias)
        for reader in ("gdcminfo", "GDCM pixels")
        for alias in ("SM", "DERM")
    ),
    Gap("dciodvfy", "deflated", "dicom3tools of Debian 12 reads no deflated dataset"),
    Gap("dciodvfy -new", "deflated", "dicom3tools of Debian 12 reads no deflated dataset"),
    Gap("dcentvfy", "deflated", "dicom3tools of Debian 12 reads no deflated dataset"),
    Gap("dciodvfy", "htj2k-lossless", "dicom3tools of Debian 12 is older than the transfer syntax"),
    Gap("dciodvfy -new", "htj2k-lossless", "dicom3tools of Debian 12 is older than the transfer syntax"),
    Gap("dcentvfy", "htj2k-lossless", "dicom3tools of Debian 12 is older than the transfer syntax"),
    Gap("dcmdump", "htj2k-lossless", "dcmtk 3.6.7 is older than the transfer syntax"),
    Gap("dcmj2pnm", "htj2k-lossless", "dcmtk 3.6.7 is older than the transfer syntax"),
    Gap("dcmtk pixels", "htj2k-lossless", "dcmtk 3.6.7 is older than the transfer syntax"),
    Gap("gdcminfo", "htj2k-lossless", "GDCM 3.0 is older than the transfer syntax"),
    Gap("GDCM pixels", "htj2k-lossless", "GDCM 3.0 is older than the transfer syntax"),
    Gap("GDCM pixels", "rle", "GDCM 3.0 mixes the segments of 16-bit colour; dcmtk and pydicom don't", kind="rgb16"),
    Gap("dcmj2pnm", "j2k-lossless", "dcmtk has no JPEG 2000 decoder"),
    Gap("dcmtk pixels", "j2k-lossless", "dcmtk has no JPEG 2000 decoder"),
)
# Single findings that are a tool's: of which class, what it says, and why it is wrong.
MISTAKEN = {
    (
        "DERM",
        r"Unrecognized defined term.*<DMS>",
    ): "dicom3tools of Debian 12 is older than DMS, which PS3.3 A.32.11 asks for",
    (
        "DERM",
        r"Missing attribute.*Module=<FrameOfReference>",
    ): "PS3.3 A.32.11.3 has no Frame of Reference any more",
}
PIXELS: dict[str, Callable[[Path], np.ndarray]] = {
    "dcmtk pixels": readers.dcmtk_pixels,
    "GDCM pixels": readers.gdcm_pixels,
    "pydicom pixels": readers.pydicom_pixels,
}


def gap(reader: str, case: Case) -> str:
    """Return why `reader` can't judge `case`, or an empty string."""
    return next(
        (
            known.why
            for known in GAPS
            if known.reader == reader
            and known.syntax in {"", case.syntax}
            and known.kind in {"", case.kind}
            and known.alias in {"", case.alias}
        ),
        "",
    )


def mistaken(alias: str, text: str) -> bool:
    """Whether a finding is one of those that are known to be wrong."""
    return any(alias == of and re.search(pattern, text) for of, pattern in MISTAKEN)


def examined(case: Case) -> dict[str, list[str]]:
    """Return what each reader finds in the files of a case; readers with a known gap are left out."""
    found: dict[str, list[str]] = {}
    if not gap("dcentvfy", case):
        found["dcentvfy"] = readers.dcentvfy(list(case.paths))
    for name, reader in readers.READERS.items():
        if not gap(name, case):
            found[name] = [text for path in case.paths for text in reader(path) if not mistaken(case.alias, text)]
    for name, read in PIXELS.items():
        if case.pixels[0] is not None and case.syntax != LOSSY and not gap(name, case):
            pairs = zip(case.paths, case.pixels, strict=True)
            found[name] = [
                text for path, pixels in pairs for text in _same(read, path, pixels) if not mistaken(case.alias, text)
            ]
    return found


def _same(read: Callable[[Path], np.ndarray], path: Path, pixels: np.ndarray) -> list[str]:
    try:
        same = np.array_equal(read(path), pixels)
    except Exception as error:  # noqa: BLE001  # whatever it says is the finding
        return [f"Error - {type(error).__name__}: {error}"]
    return [] if same else ["Error - other pixels"]


def row_of(case: Case) -> tuple[str, dict[str, list[str]]]:
    """Return a line of the table, and what was found."""
    found = examined(case)
    cells = []
    for name in ("dcentvfy", *readers.READERS, *PIXELS):
        if name in found:
            counts = Counter("W" if text.startswith(("Warning", "W:")) else "E" for text in found[name])
            cells.append(f"{counts['E']}/{counts['W']}")
        else:
            cells.append("gap" if gap(name, case) else "-")
    return f"| {case.alias} | {case.kind} | {case.syntax} | " + " | ".join(cells) + " |", found


def main() -> None:
    """Print the table: errors/warnings of each reader."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--syntax", action="append", choices=SYNTAXES, help="only this one; repeatable")
    asked = parser.parse_args()
    heads = ["class", "pixels", "transfer syntax", "dcentvfy", *readers.READERS, *PIXELS]
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        made = [
            case
            for iod in IODS
            for syntax in asked.syntax or SYNTAXES
            for case in cases.convert(Path(folder, iod.alias), BY_NAME[iod.alias], syntax)
        ]
        for line, found in pool.map(row_of, made):
            print(line)
            total["cases"] += 1
            total["findings"] += sum(map(len, found.values()))
    print(
        f"\n{total['cases']} cases of {cases.IMAGES_A_CASE} files: {total['findings']} errors and warnings.\n\nGaps of the tools:\n"
    )
    for known in GAPS:
        print(f"- {', '.join(filter(None, (known.reader, known.alias, known.kind, known.syntax)))}: {known.why}")
    for (alias, words), why in MISTAKEN.items():
        print(f"- {alias}, `{words}`: {why}")
    print(f"\npydicom {pydicom.__version__}")


if __name__ == "__main__":
    main()
