"""A mapping's TOML file to rules: what means nothing is refused by its key, and nothing in it is ever run."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, NoReturn

from bulkdcm import mappings, toml_file
from bulkdcm.attributes import dictionary
from bulkdcm.errors import SettingsError
from bulkdcm.manifest import conversions
from bulkdcm.manifest.cells import fault
from bulkdcm.manifest.codes import written
from bulkdcm.manifest.mapping import ColumnMapping
from bulkdcm.manifest.mapping_keys import FILE_KEYS, RULE_KEYS, SOURCES
from bulkdcm.manifest.patterns import Pattern
from bulkdcm.manifest.rule import Rule
from bulkdcm.settings import DELIMITERS, ROWS_PER_IMAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

_MAX_BYTES, _CHARS_SHOWN = 16_000_000, 80
_ONE_TEXT = frozenset({"ST", "LT", "UT", "UR"})  # a backslash is a plain character in these (PS3.5 6.2)


def load(path: Path) -> ColumnMapping:
    """Return the mapping in a TOML file.

    Raises
    ------
    SettingsError
        If it can't be read, or a key or its value is none of those that mean something.
    """
    try:
        data = toml_file.load(path, _MAX_BYTES)
    except ValueError as error:
        names = mappings.names()
        close = [name for name in names if path.name in name] or difflib.get_close_matches(path.name, names, n=1)
        meant = (
            f"Did you mean {' or '.join(close)}?"
            if close
            else "Give a TOML file, or a name that `bulkdcm mappings` lists."
        )
        msg = f"--mapping {path}: {error}. {meant}"
        raise SettingsError(msg) from error
    return _Reader(path).mapping(data)


class _Reader:
    """A mapping's tables to rules; what means nothing is refused by its key.

    Parameters
    ----------
    path
        The file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._patterns: dict[str, Pattern] = {}

    def mapping(self, data: dict[str, Any]) -> ColumnMapping:
        """Return the whole."""
        self._only("the file", data, FILE_KEYS)
        columns = self._table("columns", data.get("columns", {}))
        if "source" not in columns:
            self._refuse("[columns] has no `source`, which says where each row's image is")
        encoding = self._scalar("encoding", data.get("encoding", ""))
        try:
            "".encode(encoding or "utf-8")
        except (LookupError, ValueError):
            self._refuse(f"encoding {encoding!r}. Name one that Python knows, such as utf-8, cp1252 or gb18030")
        keep = self._table("keep", data.get("keep", {}))
        patterns = self._table("patterns", data.get("patterns", {}))
        self._patterns = {name: self._pattern(f"patterns.{name}", text) for name, text in patterns.items()}
        unused = self._table("unused", data.get("unused", {}))
        return ColumnMapping(
            path=self._path,
            title=self._scalar("title", data.get("title", "")),
            encoding=encoding,
            delimiter=DELIMITERS.get(self._one_of("delimiter", data.get("delimiter", ""), ("", *DELIMITERS)), ""),
            header=self._scalars("header", data["header"]) if "header" in data else None,
            keep={name: self._scalars(f"keep.{name}", cells) for name, cells in keep.items()},
            patterns=self._patterns,
            rows_per_image=self._one_of("rows_per_image", data.get("rows_per_image", ""), ("", *ROWS_PER_IMAGE)),
            unused={name: self._scalar(f"unused.{name}", why) for name, why in unused.items()},
            rules={name: self._rule(name, entry) for name, entry in columns.items()},
        )

    def _one_of(self, key: str, entry: Any, possible: Sequence[str]) -> str:
        text = self._scalar(key, entry)
        if text not in possible:
            self._refuse(f"{key} {text[:_CHARS_SHOWN]!r}. Possible: {', '.join(repr(one) for one in possible if one)}")
        return text

    def _rule(self, name: str, entry: Any) -> Rule:
        key = f"columns.{name}"
        if wrong := fault(name, ""):
            self._refuse(f"{key}: {wrong}")
        if not isinstance(entry, dict):
            return Rule(value=self._value(name, key, entry))
        self._only(key, entry, RULE_KEYS)
        if sum(source in entry for source in SOURCES) != 1 and set(entry) != {"question"}:
            self._refuse(f"{key} needs one of {', '.join(SOURCES)}")
        if "empty" in entry and "default" in entry:
            self._refuse(f"{key} has both empty and default, which mean the same: leave one of them")
        templates = self._scalars(f"{key}.template", entry.get("template", ()))
        if "template" in entry and not templates:
            self._refuse(f"{key}.template is empty. Write a text, or a list of texts")
        empty = "empty" if "empty" in entry else "default"
        return Rule(
            column=self._scalar(f"{key}.column", entry.get("column", "")),
            templates=templates,
            count=self._scalars(f"{key}.count", entry["count"]) if "count" in entry else None,
            value=self._value(name, f"{key}.value", entry.get("value", "")),
            take=self._pattern(f"{key}.take", entry["take"]) if "take" in entry else None,
            empty=self._value(name, f"{key}.{empty}", entry.get(empty, "")),
            otherwise=self._value(name, f"{key}.else", entry["else"]) if "else" in entry else None,
            question=self._scalar(f"{key}.question", entry.get("question", "")),
            **self._numbers(key, entry),
            **self._parts(name, key, entry),
            **self._tables(name, key, entry),
        )

    def _numbers(self, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a rule that say how it counts."""
        start, prefix = self._scalar(f"{key}.start", entry.get("start", 1)), entry.get("prefix", "")
        if "count" not in entry and ("start" in entry or "prefix" in entry):
            self._refuse(f"{key} has start or prefix, which count alone takes")
        if not re.fullmatch(r"[0-9]{1,9}", start):
            self._refuse(f'{key}.start {start[:_CHARS_SHOWN]!r}. Write the first number, such as 1 or "0001"')
        digits = len(start) if isinstance(entry.get("start"), str) else 0
        return {"start": int(start), "digits": digits, "prefix": self._scalar(f"{key}.prefix", prefix)}

    def _parts(self, name: str, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a rule that say how a cell is divided."""
        split, part = self._scalar(f"{key}.split", entry.get("split", "")), entry.get("part", 0)
        if "split" in entry and not split:
            self._refuse(f"{key}.split is empty. Write what is between the parts")
        if type(part) is not int or ("part" in entry and not (part and split)):
            self._refuse(f"{key}.part {part!r}. Write a number beside split: 1 for the first part, -1 for the last")
        attribute = dictionary.find(name)
        if split and not part and attribute and attribute.vr in _ONE_TEXT:
            self._refuse(f"{key}.split: {name} holds one text, and several values can't be told apart in it. Add part")
        return {"split": split, "part": part}

    def _tables(self, name: str, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a rule that say what cells become."""
        converts = self._converts(key, entry)
        values = codes = None
        if "values" in entry:
            table = self._table(f"{key}.values", entry["values"])
            # What `as` makes of them is known only then.
            values = {
                cell: self._scalar(f"{key}.values", text)
                if converts["convert"]
                else self._value(name, f"{key}.values.{cell}", text)
                for cell, text in table.items()
            }
        if ("codes" in entry) != (converts["convert"] == "code"):
            self._refuse(f'{key}: as = "code" and a table of codes go together')
        if "codes" in entry:
            table = self._table(f"{key}.codes", entry["codes"])
            codes = {cell: self._code(f"{key}.codes.{cell}", code) for cell, code in table.items()}
        return {"values": values, "codes": codes, **converts}

    def _code(self, key: str, entry: Any) -> str:
        try:
            return written(self._scalars(key, entry))
        except ValueError as error:
            self._refuse(f"{key}: {error}")

    def _converts(self, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a rule that say how its cells are converted."""
        plain: dict[str, Any] = {name: entry[name] for name in conversions.OPTIONS if name in entry}
        for name in ("as", "unit", "round", "decimal"):
            if name in plain:
                plain[name] = self._scalar(f"{key}.{name}", plain[name])
        if isinstance(plain.get("formats"), (str, list)):
            plain["formats"] = list(self._scalars(f"{key}.formats", plain["formats"]))
        if "units" in plain:
            units = self._table(f"{key}.units", plain["units"])
            plain["units"] = {name: self._scalar(f"{key}.units.{name}", unit) for name, unit in units.items()}
        return conversions.options(f"--mapping {self._path}: {key}", plain)

    def _pattern(self, key: str, entry: Any) -> Pattern:
        text = self._scalar(key, entry)
        if text in self._patterns:
            return self._patterns[text]
        try:
            return Pattern(text)
        except ValueError as error:
            self._refuse(f"{key} {text[:_CHARS_SHOWN]!r}: {error}")

    def _value(self, name: str, key: str, entry: Any) -> str:
        text = self._scalar(key, entry)
        if wrong := fault(name, text.strip(" ")):
            self._refuse(f"{key} = {text[:_CHARS_SHOWN]!r}: {wrong}")
        return text

    def _scalar(self, key: str, entry: Any) -> str:
        if not isinstance(entry, (str, int, float)) or isinstance(entry, bool):
            self._refuse(f"{key} is {_kind(entry)}; write a text in quotes")
        try:
            return str(entry)
        except ValueError:  # of thousands of digits
            self._refuse(f"{key} is a number that is too long")

    def _scalars(self, key: str, entry: Any) -> tuple[str, ...]:
        entries = entry if isinstance(entry, (list, tuple)) else [entry]
        return tuple(self._scalar(key, part) for part in entries)

    def _table(self, key: str, entry: Any) -> dict[str, Any]:
        if not isinstance(entry, dict):
            self._refuse(f"{key} is {_kind(entry)}; write a table, as [{key}]")
        return entry

    def _only(self, where: str, table: Mapping[str, Any], known: Collection[str]) -> None:
        for key in table:
            if key not in known:
                self._refuse(f"{where} has {key!r}, which means nothing. Possible: {', '.join(sorted(known))}")

    def _refuse(self, what: str) -> NoReturn:
        msg = f"--mapping {self._path}: {what}{'' if what.endswith(('.', '?')) else '.'}"
        raise SettingsError(msg)


def _kind(entry: object) -> str:
    kinds = {bool: "true or false", list: "a list", dict: "a table", int: "a number", float: "a number"}
    return kinds.get(type(entry), "a text" if isinstance(entry, str) else "a date or time")
