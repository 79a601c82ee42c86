"""Turn the Standard's module tables, as others have extracted them, into bulkdcm/validation/modules.json.

Run it with the wheels of `highdicom` (which attribute is of which type in which module, and which module is in which IOD)
and `dicom-standard` (the texts: conditions, Enumerated Values, sections)::

    pip download --no-deps highdicom==0.28.2 dicom-standard==0.1.0
    python -m tests.tables.make_modules highdicom-0.28.2-py3-none-any.whl dicom_standard-0.1.0-py3-none-any.whl

Nothing comes from bulkdcm's own registry but the list of classes. Conditions that are written in one of the Standard's usual
ways are read from the text; `module_conditions` has the others.
"""

from __future__ import annotations

import html
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from bulkdcm.attributes import body_parts
from bulkdcm.iods import IODS
from tests.tables import module_conditions as own

TABLE = Path(__file__).parents[2] / "bulkdcm" / "validation" / "modules.json"
ORIGIN = (
    "Types and modules: the tables in highdicom 0.28.2 (MIT), which name no edition; their IODs are those of PS3.3 2024e, and "
    "Enhanced Patient Orientation. Conditions and Enumerated Values: the texts in dicom-standard 0.1.0 (MIT), of PS3.3 as it was "
    "in April 2020, and tests/tables/module_conditions.py, by hand. Made by tests/tables/make_modules.py."
)
_REFERENCE = r"([A-Z][^()]*?(?: \(Patient\))?) \(([0-9A-F]{4},[0-9A-F]{4})\)"
_VALUE = r'"?([A-Z0-9_]+(?: [A-Z0-9_]+)*)"?'
_START = r"^(?:Required|Shall be present) if (?:a value of |the value of )?"
_ENDS = r"(?:\.|;| may| Otherwise| See| Note| Specified| Location| Radius| Multiple| Only| One| Enumerated| Defined|$)"
_PATTERNS = (
    (re.compile(rf"{_START}{_REFERENCE} is present{_ENDS}"), "{0}"),
    (re.compile(rf"{_START}{_REFERENCE} is (?:not present|absent){_ENDS}"), "no {0}"),
    (
        re.compile(
            rf"{_START}{_REFERENCE} (?:is set to|is|has a value of|equals|value is|=) {_VALUE}(?: or {_VALUE})?(?: \([A-Z][a-z][^)]*\))?{_ENDS}"
        ),
        "{0} = {1}",
    ),
)
_SQUEEZED = re.compile(r"\s+")


class Texts:
    """The attribute descriptions of `dicom-standard`."""

    def __init__(self, wheel: Path) -> None:
        def load(name: str) -> Any:
            with zipfile.ZipFile(wheel) as archive:
                return json.loads(archive.read(f"dicom_standard-0.1.0.data/data/standard/{name}.json"))

        self.keywords = {entry["tag"].strip("()"): entry["keyword"] for entry in load("attributes")}
        self.names = {entry["id"]: (entry["name"], _section(entry["linkToStandard"])) for entry in load("modules")}
        self._found = {}
        for entry in load("module_to_attributes"):
            tags = (f"{tag[:4]},{tag[4:]}".upper() for tag in entry["path"].split(":")[1:])
            key = (entry["moduleId"], *(self.keywords.get(tag, tag) for tag in tags))
            self._found.setdefault(key, entry["description"])

    def of(self, module: str, path: tuple[str, ...]) -> str:
        """Return the HTML of an attribute; nothing where that edition doesn't have it."""
        return str(self._found.get((module, *path), ""))

    def condition(self, module: str, path: tuple[str, ...]) -> tuple[str, bool]:
        """Return a condition as data (nothing where it isn't put in a usual way), and whether it is the only one."""
        text = _plain(self.of(module, path))
        found = re.search(r"(Required|Shall be present) if .*", text)
        if not found:
            return "", False
        only = not re.search(r"[Mm]ay (also )?be present|overriding", text)
        for pattern, form in _PATTERNS:
            if match := pattern.search(found[0]):
                keyword = self.keywords.get(match[2], "")
                values = "|".join(value for value in match.groups()[2:] if value)
                return (form.format(keyword, values) if keyword else ""), only
        return "", False

    def values(self, module: str, path: tuple[str, ...]) -> list[str]:
        """Return the Enumerated Values that stand with an attribute."""
        text = _SQUEEZED.sub(" ", self.of(module, path))
        found = re.findall(r"<strong>\s*Enumerated Values:\s*</strong>.*?<dl[^>]*>(.*?)</dl>", text)
        if len(found) != 1:  # several lists are for several cases
            return []
        values = [_plain(value).lstrip("+") for value in re.findall(r"<dt>(.*?)</dt>", found[0])]
        return [str(int(value[:4], 16)) if re.fullmatch(r"000\dH", value) else value for value in values]


def _plain(text: str) -> str:
    text = re.sub(r"<(/p|/dt|/dd|/dl|br)[^>]*>", "\n", text)
    return _SQUEEZED.sub(" ", html.unescape(re.sub(r"<[^>]*>", "", text))).strip()


def _section(link: str) -> str:
    found = re.search(r"sect_([A-Z0-9.]+?)\.html", link)
    return found[1] if found else ""


class Tables:
    """The rules of each module, and those of items, each kind of item once."""

    def __init__(self, attributes: dict[str, list[dict[str, Any]]], texts: Texts) -> None:
        self._attributes, self._texts = attributes, texts
        self.items: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}

    def module(self, key: str) -> dict[str, Any]:
        """Return the rules of a module: keyword to rule."""
        children: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for entry in self._attributes[key]:
            children.setdefault(tuple(entry["path"]), []).append((entry["keyword"], entry["type"]))
        return self._level(key, (), children)

    def _level(self, key: str, path: tuple[str, ...], children: dict[tuple[str, ...], Any]) -> dict[str, Any]:
        rules = {}
        for keyword, kind in children.get(path, ()):
            below = self._level(key, (*path, keyword), children)
            rule = self._rule(key, (*path, keyword), kind)
            if below:
                rule["items"] = self._named(keyword, below)
            # In an item nothing is to be known of what may be missing and holds nothing that may not.
            if not path or len(rule) > 1 or kind != "3":
                rules[keyword] = rule if len(rule) > 1 else kind
        return rules

    def _rule(self, key: str, path: tuple[str, ...], kind: str) -> dict[str, Any]:
        rule: dict[str, Any] = {"type": kind}
        keyword = path[-1]
        known = next((own.RULES[name] for name in (f"{key}.{keyword}", keyword) if name in own.RULES), None)
        if kind in {"1C", "2C"}:
            condition, only = self._texts.condition(key, path)
            if condition:
                rule |= {"if": condition, **({"only": condition} if only else {})}
            if known is not None:
                rule = {"type": kind, **known}
        if values := own.VALUES.get(f"{key}.{keyword}", self._texts.values(key, path)):
            rule["values"] = values
        return rule

    def _named(self, keyword: str, rules: dict[str, Any]) -> str:
        form = json.dumps(rules)
        if form not in self._names:
            name, number = keyword.removesuffix("Sequence"), 1
            if "CodeValue" in rules:
                name = "Code"
            while (name if number == 1 else f"{name} {number}") in self.items:
                number += 1
            self._names[form] = name if number == 1 else f"{name} {number}"
            self.items[self._names[form]] = rules
        return self._names[form]


def main() -> None:
    """Write the table."""
    high, standard = map(Path, sys.argv[1:])
    with zipfile.ZipFile(high) as archive:
        iod_of, modules_of, attributes = (
            json.loads(archive.read(f"highdicom/_standard/{name}.json"))
            for name in ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
        )
    texts = Texts(standard)
    tables = Tables(attributes, texts)
    used = {entry["key"] for iod in IODS for entry in modules_of[iod_of[iod.sop_class_uid]]}
    classes = {}
    for uid, iod in sorted(iod_of.items()):
        modules = {entry["key"]: entry["usage"] for entry in modules_of[iod]}
        if set(modules) <= used:
            for name, usage in modules.items():
                condition = own.MODULES.get(f"{iod}.{name}", own.MODULES.get(name, "")) if usage == "C" else ""
                modules[name] = condition or ("M" if usage == "M" else "U")
            classes[uid] = {"modules": modules, "values": own.CLASS_VALUES.get(uid, {})}
    others = [
        uid for uid, iod in sorted(iod_of.items())
        if uid not in classes and {entry["key"] for entry in modules_of[iod] if entry["usage"] == "M"} >= own.OF_ALL
    ]  # fmt: skip
    paired = "|".join(sorted(part.term for part in body_parts.table().values() if part.paired))
    modules = {}
    for key in sorted(used):
        name, section = own.NAMES.get(key) or texts.names[key]
        rules = json.loads(json.dumps(tables.module(key)).replace("{paired}", paired))
        modules[key] = {"name": name, "section": own.SECTIONS.get(key, section), "attributes": rules}
    _write({"origin": ORIGIN, "classes": classes, "others": others, "modules": modules, "items": tables.items})


def _write(table: dict[str, Any]) -> None:
    """Write it as JSON, a line a class, module and kind of item, so that a change can be read."""
    parts = []
    for name, value in table.items():
        if isinstance(value, dict):
            lines = ",\n".join(
                f"  {json.dumps(key)}: {json.dumps(entry, ensure_ascii=False)}" for key, entry in value.items()
            )
            parts.append(f"{json.dumps(name)}: {{\n{lines}\n }}")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    TABLE.write_text("{\n " + ",\n ".join(parts) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
