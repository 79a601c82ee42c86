"""Ask dciodvfy which attributes each registered SOP class has a place for; writes bulkdcm/attributes/iod_attributes.csv.

Run it after adding a SOP class: ``python tests/tables/make_iod_attributes.py``. Every attribute of the dictionary is put
into one file a class, and dciodvfy names those that the IOD does not have (PS3.4 B.4.2: they make the object a Standard
Extended SOP Class, which is allowed, and which validators warn of).
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from pydicom.datadict import DicomDictionary

from bulkdcm import iods
from bulkdcm.attributes import dictionary, terms, values
from bulkdcm.attributes.vr import RULES
from bulkdcm.encode import encode
from bulkdcm.model import Frame, InstanceUIDs, ManifestRow

TABLE = Path(__file__).parents[2] / "bulkdcm" / "attributes" / "iod_attributes.csv"
_SAMPLES = {
    "AE": "AE", "AS": "045Y", "AT": "00100010", "CS": "YES", "DA": "20230102", "DS": "1.5", "DT": "20230102101112",
    "FD": "1.5", "FL": "1.5", "IS": "1", "LO": "text", "LT": "text", "PN": "A^B", "SH": "text", "SL": "1", "SS": "1",
    "ST": "text", "SV": "1", "TM": "101112", "UC": "text", "UI": "1.2.3", "UL": "1", "UR": "urn:a", "US": "1",
    "UT": "text", "UV": "1", "SQ": "1^99X^text", **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), "0000000000000000"),
}  # fmt: skip
_SPECIAL = {"ImageType": "DERIVED\\SECONDARY", "PatientOrientation": "A\\F"}
# What PS3.3 2025 has otherwise than the edition that dicom3tools knows (A.8.1.3, A.32.11.3).
_PLANE = "SliceThickness SpacingBetweenSlices ImagePositionPatient ImageOrientationPatient SliceLocation"
_FRAME_OF_REFERENCE = "FrameOfReferenceUID PositionReferenceIndicator"
_ADDED = {"SC": {*_PLANE.split(), *_FRAME_OF_REFERENCE.split()}}
_GONE = {"DERM": {*_FRAME_OF_REFERENCE.split()}}
_MISSING = re.compile(r"</(\w+)\(([0-9a-f]{4}),([0-9a-f]{4}) ?\)> - Attribute is not present in standard DICOM IOD")


def keywords() -> list[str]:
    """Return every attribute that a manifest may set."""
    found = []
    for tag, (_, _, _, retired, keyword) in sorted(DicomDictionary.items()):
        if retired or not keyword or tag < 0x00080000 or keyword in dictionary.OWNED:
            continue
        entry = dictionary.find(keyword)
        if entry and (entry.is_code_sequence or values.vr_of(entry) in RULES):
            found.append(keyword)
    return found


def refused_by(iod: iods.registry.IOD, names: list[str]) -> set[str]:
    """Return the keywords that dciodvfy finds out of place in `iod`."""
    kind = "gray8" if "gray8" in iod.pixel_kinds else "gray16"
    pixels = np.zeros((2, 2), dtype=np.uint8 if kind == "gray8" else np.uint16)
    frame = Frame(
        rows=2, columns=2, samples_per_pixel=1, bits_stored=pixels.itemsize * 8,
        photometric_interpretation="MONOCHROME2", pixels=pixels,
    )  # fmt: skip
    row = ManifestRow(ordinal=0, line=2, source="a.png", output="a.dcm", sop_class_uid=iod.sop_class_uid)
    uids = InstanceUIDs(study_instance_uid="1.2.1", series_instance_uid="1.2.2", sop_instance_uid="1.2.3")
    dataset = iods.build(row, frame, uids)
    for name in names:
        entry = dictionary.find(name)
        if entry and entry.tag not in dataset:
            count = next(n for n in range(1, 100) if entry.takes(n))
            allowed = terms.ENUMERATED.get(name, ((_SAMPLES[values.vr_of(entry)],), ""))[0]
            dataset.add(values.element(name, _SPECIAL.get(name) or "\\".join([allowed[0]] * count)))
    data, _ = encode(dataset, frame, "explicit")  # in pieces
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.writelines(data)
        file.flush()
        done = subprocess.run(["dciodvfy", "-new", file.name], capture_output=True, check=False)
    tags = {int(m[2] + m[3], 16) for m in _MISSING.finditer(done.stderr.decode("utf-8", "replace"))}
    if not tags:
        sys.exit(f"dciodvfy said nothing of {iod.keyword}")
    found = {name for name in names if (entry := dictionary.find(name)) and entry.tag in tags}
    return (found - _ADDED.get(iod.alias, set())) | _GONE.get(iod.alias, set())


def main() -> None:
    """Write the table: a line an attribute, the aliases of the classes that have it."""
    names = keywords()
    refused = {iod.alias: refused_by(iod, names) for iod in iods.IODS}
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["keyword", "classes"])
        for name in names:
            aliases = [alias for alias, out in refused.items() if name not in out]
            if aliases:
                writer.writerow([name, " ".join(aliases)])


if __name__ == "__main__":
    main()
