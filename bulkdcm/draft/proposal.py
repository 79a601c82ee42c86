"""A mapping proposed by the names of a CSV's columns and by all of their cells, for the user to edit.

What every cell allows is proposed; what they leave open is a `question` in the column's table, which `check` repeats until it
is answered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bulkdcm.draft import cells_of
from bulkdcm.manifest.date_forms import has_clock
from bulkdcm.manifest.found_files import FoundFiles
from bulkdcm.manifest.readers import Form, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.manifest import Manifest

# What people call things: manifest column to a pattern of a foreign column's name, letters and digits only.
_NAMES = {
    "source": r"path|file|filename|filepath|imagepath|imagename|imageindex|imageid|image|idcode",
    "PatientID": r"(patient|subject|case)(id|number|no)?|pid|id",
    "PatientSex": r"(patient)?(sex|gender)|(is)?(fe)?male",
    "PatientAge": r"(patient)?age(at(study|exam|scan))?(in)?(approx|years?|yrs|months?|mos|weeks?|days?|hours?)?",
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
_LOOKED_UP = 20
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
    table = read_table(path, Form(encoding=encoding, foreign=True))
    used, rivals = _used(table)
    date = used.get("StudyDate", "")
    if date and "StudyTime" not in used and any(map(has_clock, table.column(date).values)):
        used["StudyTime"] = date
    lines = [f"# A proposal for {path.name}: read each line, correct it, then `bulkdcm check {path.name} --mapping …`."]
    if encoding.lower() not in {"utf-8", "utf8"}:
        lines.append(f"encoding = {cells_of.text(encoding)}")
    lines += ["", "[columns]", *(_line(table, target, used, rivals) for target in _wanted(used))]
    left = [name for name in table.columns if name and name not in used.values()]
    lines += ["", f"# not used: {', '.join(left)}"] if left else []
    return "\n".join(lines) + "\n"


def _used(table: Manifest) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the column that each of the manifest's is made from, and those that look as good."""
    used: dict[str, str] = {}
    rivals: dict[str, list[str]] = {}
    for target, pattern in _NAMES.items():
        plain = {name: re.sub(r"[^a-z0-9]", "", name.lower()) for name in table.columns if name not in used.values()}
        fitting = [name for name, letters in plain.items() if re.fullmatch(pattern, letters)]
        if exact := [name for name in fitting if plain[name] == target.lower()]:
            fitting = exact
        if fitting:
            used[target], *rivals[target] = fitting
    return used, rivals


def _wanted(used: dict[str, str]) -> list[str]:
    always = ["source", "PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber", "Modality"]
    return [*always, *(target for target in used if target not in always)]


def _telling(table: Manifest) -> str:
    """Return the first column whose cells are all different, which may name the files."""
    return next((name for name, column in table.columns.items() if len(column.values) == len(table)), "COLUMN")


def _line(table: Manifest, target: str, used: dict[str, str], rivals: dict[str, list[str]]) -> str:
    """Return the line of one column of the manifest."""
    name = used.get(target, "")
    if target == "source":
        draft = _source(table, name)
    elif not name:
        missing = {
            "PatientID": 'PatientID = ""  # no column looks like it',
            "SeriesNumber": 'SeriesNumber = "1"',
            "InstanceNumber": 'InstanceNumber = { count = ["PatientID"] }',
            "Modality": 'Modality = "OT"  # CR, DX, US, XC …: what the images are',
        }
        return missing.get(target, f'{target} = ""  # not in the file; validators warn where it is empty')
    else:
        draft = cells_of.draft(table, target, name, used.get("StudyDate", ""))
    if others := rivals.get(target):
        draft.ask(f"{' and '.join(others)} looks like it too: is {name} right?")
    return f"{target} = {draft.toml()}"


def _source(table: Manifest, name: str) -> cells_of.Draft:
    """Return where the images are, as far as the cells or the disk tell."""
    values = table.column(name).values if name else []
    ending = [bool(_IMAGE_ENDING.search(cell)) for cell in values]
    if name and any(ending):
        draft = cells_of.Draft({"column": name})
        if not all(ending):
            bare = values[ending.index(False)]
            draft.ask(
                f"{bare!r} has no ending of an image: leave such rows out with `keep`, or look files up by a template"
            )
        return draft
    column = name or _telling(table)
    draft = cells_of.Draft({"template": f"images/{{{column}}}.*"})
    draft.comment = "the cells have no ending: it is looked up" if name else "no column looks like a file: correct it"
    files = FoundFiles(table.path.parent)
    cells = table.column(column).values[:_LOOKED_UP]
    if not any(len(files.find(f"images/{cell}.*")) == 1 for cell in cells):
        draft.ask(
            "no file is called so in a folder images beside the CSV: where are they, and which column names them?"
        )
    return draft
