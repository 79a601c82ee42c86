"""What the sweep tries: every attribute of each SOP class's modules with one or two legal values, each in a row of its own.

Classes, modules, attributes and terms come from tables that don't know our registry (see
``tests/tables/make_standard_attributes.py``).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bulkdcm.attributes import dictionary, values
from bulkdcm.attributes.vr import RULES
from tests.conformance import cases

TABLES = Path(__file__).parents[1] / "tables"
MOST_TERMS = 24  # of a longer list the first and the last are tried
_SAMPLES = {
    "AE": ("AE",), "AS": ("045Y", "012D"), "AT": ("00100010",), "CS": ("YES", "A 1"), "DA": ("20230102",),
    "DS": ("1.5", "3"), "DT": ("20230102101112",), "FD": ("1.5", "3"), "FL": ("1.5", "3"), "IS": ("1", "3"),
    "LO": ("text",), "LT": ("text",), "PN": ("A^B", "A"), "SH": ("text",), "SL": ("1", "3"), "SS": ("1", "3"), "ST": ("text",),
    "SV": ("1",), "TM": ("101112",), "UC": ("text",), "UL": ("1", "3"), "UR": ("urn:a",), "US": ("1", "3"), "UT": ("text",),
    "UV": ("1",), "SQ": ("1^99X^text",), **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), ("0000000000000000",)),
}  # fmt: skip
# Where a VR's sample would mean nothing.
_SPECIAL = {
    "ImageType": ("ORIGINAL\\PRIMARY", "DERIVED\\SECONDARY", "DERIVED\\PRIMARY", "ORIGINAL\\PRIMARY\\AXIAL"),
    "PatientOrientation": ("A\\F", "L\\F"),
    "ImageOrientationPatient": ("1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1"),
    "ImageOrientationSlide": ("1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1"),
    "Modality": ("OT", "CR", "US"),
    "BodyPartExamined": ("CHEST", "HAND", "UNKNOWNPART"),
    "PixelAspectRatio": ("1\\2", "1\\1"),
    "TimezoneOffsetFromUTC": ("+0100", "-0800"),
    "RescaleType": ("US", "HU", "OD"),
    "RescaleSlope": ("1", "2"),
    "RescaleIntercept": ("0", "-1024"),
    "GantryDetectorTilt": ("0", "1.5"),
    "ShutterPresentationValue": ("0", "1"),
    "RepresentativeFrameNumber": ("1",),
    "FrameNumbersOfInterest": ("1",),
    "StartTrim": ("1",),
    "StopTrim": ("1",),
    "PatientPosition": ("HFS", "FFP"),
    # Terms that stand in sections or macros of their own, or are newer than the table of them.
    "PixelSpacingCalibrationType": ("GEOMETRY", "FIDUCIAL"),
    "SliceProgressionDirection": ("APEX_TO_BASE", "WALL_TO_SEPTUM"),
    "PartialView": ("YES", "NO"),
    "ContactMethod": ("CONTACT", "NON_CONTACT"),
    "LightSourcePolarization": ("POLARIZED", "NON_POLARIZED"),
    "ImmersionMedia": ("MINERAL_OIL",),
}


@dataclass(frozen=True)
class Trial:
    """One attribute with one value, in a complete row of a class."""

    alias: str
    kind: str
    keyword: str
    value: str
    number: int

    @property
    def row(self) -> dict[str, str]:
        """The manifest row: a study of its own, so that nothing has to agree with another trial."""
        own = {"PatientID": f"P{self.number}", "InstanceNumber": "1", self.keyword: self.value}
        names = {"source": f"{self.kind}.png", "output": f"{self.number}.dcm", "sop_class": self.alias}
        return {**cases.COMMON, **cases.COMPLETE[self.alias], **own, **names, "study": str(self.number)}

    def __str__(self) -> str:
        return f"{self.alias}, {self.kind}, {self.keyword} {self.value}"


def _read(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((TABLES / name).read_text(encoding="utf-8").splitlines()))


@cache
def attributes() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the attributes of each class with the terms that its modules list."""
    of_module = defaultdict(list)
    for line in _read("standard_attributes.csv"):
        of_module[line["module"]].append(line)
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for line in _read("standard_modules.csv"):
        for attribute in of_module[line["module"]]:
            terms = tuple(filter(None, attribute["terms"].split("\\")))
            known = found[line["class"]].setdefault(attribute["keyword"], terms)
            # A module of its own narrows what a general one allows.
            if terms and (not known or len(terms) < len(known)):
                found[line["class"]][attribute["keyword"]] = terms
    return found


def expressible(keyword: str) -> bool:
    """Whether a manifest can hold the attribute, and may."""
    entry = dictionary.find(keyword)
    if entry is None or keyword in dictionary.OWNED:
        return False
    return entry.is_code_sequence or values.vr_of(entry) in RULES


def tried(keyword: str, terms: tuple[str, ...], number: int) -> list[str]:
    """Return the values to try of an attribute."""
    entry = dictionary.find(keyword)
    assert entry is not None
    if keyword in _SPECIAL:
        return list(_SPECIAL[keyword])
    if values.vr_of(entry) == "UI":
        return [f"1.2.3.{number}"]
    samples = terms if len(terms) <= MOST_TERMS else (terms[0], terms[-1])
    samples = samples or _SAMPLES[values.vr_of(entry)]
    fewest = next(n for n in range(1, 100) if entry.vr == "SQ" or entry.takes(n))
    found = ["\\".join([sample] * fewest) for sample in samples]
    if fewest == 1 and entry.vr != "SQ" and entry.takes(2) and RULES[values.vr_of(entry)].multi:
        found.append("\\".join((samples * 2)[:2]))
    return found


def of_class(alias: str, kinds: list[str]) -> list[Trial]:
    """Return the trials of a class, each with pixels of each of the `kinds`."""
    found: list[Trial] = []
    for keyword, terms in sorted(attributes()[alias].items()):
        if not expressible(keyword):
            continue
        for kind in kinds:
            for value in tried(keyword, terms, len(found) + 1):
                found.append(Trial(alias, kind, keyword, value, len(found) + 1))
    return found
