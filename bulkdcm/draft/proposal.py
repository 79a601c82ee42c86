"""A mapping proposed by the names of a CSV's columns, for the user to edit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bulkdcm.manifest.conversions import CONVERSIONS, converted
from bulkdcm.manifest.mapping import Rule
from bulkdcm.manifest.read import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.manifest import Column, Manifest

# What people call things: manifest column to a pattern of a foreign column's name, letters and digits only.
_NAMES = {
    "source": r"path|file|filename|filepath|imagepath|imagename|imageindex|imageid|image|idcode",
    "PatientID": r"(patient|subject|case)(id|number|no)?|pid|id",
    "PatientSex": r"(patient)?(sex|gender)|male",
    "PatientAge": r"(patient)?age(approx|years)?|ageapprox",
    "PatientBirthDate": r"(patient)?(birthdate|dateofbirth|dob)",
    "StudyDate": r"(study|exam|acquisition|scan)?date",
    "StudyTime": r"(study|exam|acquisition|scan)time",
    "AccessionNumber": r"accession(number|no)?",
    "StudyID": r"(study|exam|visit)(id|number|no)?|followup",
    "SeriesNumber": r"series(number|no)?",
    "InstanceNumber": r"(instance|slice|image)(number|no)",
    "BodyPartExamined": r"bodypart(examined)?|anatomy",
    "ViewPosition": r"view(position)?|projection",
    "ImageComments": r"(clinical)?(notes?|comments?)|finding(s|labels)?",
    "StudyDescription": r"(study|exam)?description",
}
_KINDS = {"PatientAge": "age", "PatientBirthDate": "date", "StudyDate": "date", "StudyTime": "time"}
_SEXES = {
    "m": "M",
    "male": "M",
    "man": "M",
    "f": "F",
    "female": "F",
    "woman": "F",
    "o": "O",
    "other": "O",
    "unknown": "",
}
_MALE = {"true": "M", "1": "M", "yes": "M", "false": "F", "0": "F", "no": "F"}
_MOST_VALUES = 20
_IMAGE_ENDING = re.compile(r"\.(png|jpe?g|bmp|tiff?|webp|gif|dcm)$", re.IGNORECASE)


def propose_mapping(path: Path, encoding: str) -> str:
    """Return a mapping for a dataset's CSV as TOML text.

    Parameters
    ----------
    path
        The CSV.
    encoding
        Of its text.

    Raises
    ------
    ManifestError
        Where it can't be read.
    """
    table = read_table(path, encoding, foreign=True)
    used: dict[str, str] = {}
    for target, pattern in _NAMES.items():
        for name in table.columns:
            plain = re.sub(r"[^a-z0-9]", "", name.lower())
            if name not in used.values() and target not in used and re.fullmatch(pattern, plain):
                used[target] = name
    lines = [f"# A proposal for {path.name}: read each line, correct it, then `bulkdcm check {path.name} --mapping …`."]
    if encoding.lower() not in {"utf-8", "utf8"}:
        lines.append(f"encoding = {_text(encoding)}")
    lines += ["", "[columns]", *(_line(table, target, used.get(target, "")) for target in _wanted(used))]
    left = [name for name in table.columns if name and name not in used.values()]
    lines += ["", f"# not used: {', '.join(left)}"] if left else []
    return "\n".join(lines) + "\n"


def _wanted(used: dict[str, str]) -> list[str]:
    always = ["source", "PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber", "Modality"]
    return [*always, *(target for target in used if target not in always)]


def _telling(table: Manifest) -> str:
    """Return the first column whose cells are all different, which may name the files."""
    return next((name for name, column in table.columns.items() if len(column.values) == len(table)), "COLUMN")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string


def _line(table: Manifest, target: str, name: str) -> str:
    if not name:
        missing = {
            "source": f"source = {{ template = {_text('images/{' + _telling(table) + '}.*')} }}  # no column looks like a file: correct it",
            "PatientID": 'PatientID = ""  # no column looks like it',
            "SeriesNumber": 'SeriesNumber = "1"',
            "InstanceNumber": 'InstanceNumber = { count = ["PatientID"] }',
            "Modality": 'Modality = "OT"  # CR, DX, US, XC …: what the images are',
        }
        return missing.get(target, f'{target} = ""  # not in the file; validators warn where it is empty')
    column = table.column(name)
    if target == "source" and not any(_IMAGE_ENDING.search(cell) for cell in column.values[:100]):
        return (
            f"source = {{ template = {_text('images/{' + name + '}.*')} }}  # the cells have no ending: it is looked up"
        )
    if target == "PatientSex":
        return _sex(column, name)
    kind = _KINDS.get(target)
    if kind and not all(converted(cell, Rule(column=name, convert=kind))[1] == "" for cell in column.values):
        return f'{target} = {{ column = {_text(name)}, as = "{kind}", else = "" }}  # some cells are not {CONVERSIONS[kind].expects}'
    as_kind = f', as = "{kind}"' if kind else ""
    return f"{target} = {{ column = {_text(name)}{as_kind} }}"


def _sex(column: Column, name: str) -> str:
    known = _MALE if name.lower() == "male" else _SEXES
    cells = [cell for cell in column.values if cell][:_MOST_VALUES]
    pairs = ", ".join(f"{_text(cell)} = {_text(known.get(cell.lower(), ''))}" for cell in cells)
    return f"PatientSex = {{ column = {_text(name)}, values = {{ {pairs} }} }}"
