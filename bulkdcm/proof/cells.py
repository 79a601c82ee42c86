"""A row's cells beside the bytes of the file's elements, without the code that made elements of cells."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from bulkdcm.proof.kinds import VALUE, Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset, FileDataset

_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "SV": "q", "UV": "Q", "FL": "f", "FD": "d"}
_BYTES = {"OB", "OW", "OF", "OL", "OD", "OV", "UN"}
_SINGLE = {"ST", "LT", "UT", "UR"}
_SPACES_IN_FRONT = {"ST", "LT", "UT", "UC", "UR"}
_PATIENT_GROUP = 0x0010
# Beside what a row says of earlier compressions stand ours (PS3.3 C.7.6.1.1.5.2).
_HISTORY = {"LossyImageCompressionRatio", "LossyImageCompressionMethod"}
_SHOWN = 60


class Opened(NamedTuple):
    """A file's data set, and its elements as they were read, so that their bytes are there whoever asks the former."""

    dataset: FileDataset
    raw: dict[int, Any]

    @classmethod
    def of(cls, dataset: FileDataset) -> Opened:
        """Return a data set no element of which was asked for."""
        return cls(dataset, {int(tag): dataset.get_item(tag) for tag in dataset.keys()})  # noqa: SIM118  # as above

    def text(self, keyword: str) -> str:
        """Return the value of an attribute that is no sequence, as a cell would say it; empty if it isn't there."""
        tag = tag_for_keyword(keyword) or 0
        return _text(self.raw[tag], dictionary_VR(tag)).rstrip(" ") if tag in self.raw else ""


def differing(attributes: Mapping[str, str], opened: Opened) -> Iterator[Found]:
    """Yield the cells that a file doesn't have as its values.

    Parameters
    ----------
    attributes
        Keyword to cell, as the row has them.
    opened
        The file.
    """
    for keyword, cell in attributes.items():
        tag = Tag(tag_for_keyword(keyword) or 0)
        vr = dictionary_VR(tag)
        if vr == "SQ":
            found: Any = _codes(opened.dataset.get(tag))
            same = found == [_code(part) for part in cell.split("\\") if part.strip(" ")]
        else:
            texts = [_text(opened.raw[tag], vr)] if tag in opened.raw else list(_nested(opened.dataset, tag, vr))
            same = any(_same(keyword, cell, found, vr) for found in texts)
            found = texts[0] if texts else None
        if not same:
            yield Found(VALUE, keyword, _words(tag.group == _PATIENT_GROUP or vr == "PN", cell, found))


def _words(private: bool, cell: str, found: Any) -> str:  # noqa: FBT001  # one caller
    if private:
        return "isn't the manifest's value" if found else "is missing, though the manifest has a value"
    shown = "nothing" if found is None else repr(found)[:_SHOWN]
    return f"{shown} in the file, {cell[:_SHOWN]!r} in the manifest"


def _nested(dataset: Dataset, tag: Any, vr: str) -> Iterator[str]:
    """Yield the texts of an element in the items of sequences."""
    for element in dataset:
        for item in element.value if element.VR == "SQ" else ():
            if tag in item:
                yield _text(item.get_item(tag), vr)
            yield from _nested(item, tag, vr)


def _text(element: Any, vr: str) -> str:
    """Return an element's value as a cell would say it."""
    data = element.value
    vr = (element.VR or vr).partition(" ")[0]
    if not isinstance(element, RawDataElement):
        return "\\".join(map(str, data)) if isinstance(data, list | tuple) or hasattr(data, "append") else str(data)
    if not data:
        return ""
    if vr in _NUMBERS:
        size = struct.calcsize(_NUMBERS[vr])
        numbers = struct.unpack(f"<{len(data) // size}{_NUMBERS[vr]}", data[: len(data) // size * size])
        return "\\".join(map(str, numbers))
    if vr == "AT":
        words = struct.unpack(f"<{len(data) // 2}H", data)
        return "\\".join(f"{a:04X}{b:04X}" for a, b in zip(words[::2], words[1::2], strict=True))
    if vr in _BYTES:
        return str(data.hex().upper())
    return str(data.decode("utf-8", "replace").rstrip("\0"))


def _same(keyword: str, cell: str, found: str, vr: str) -> bool:
    vr = "US" if " or " in vr else vr
    if vr in _BYTES:
        return bytes.fromhex(found).rstrip(b"\0") == bytes.fromhex(cell).rstrip(b"\0")
    ours, theirs = _parts(cell, vr), _parts(found, vr)
    if vr == "PN":
        return [_name(part) for part in ours] == [_name(part) for part in theirs]
    if vr in _NUMBERS or vr in {"DS", "IS"}:
        return len(ours) == len(theirs) and all(_equal(a, b, vr) for a, b in zip(ours, theirs, strict=True))
    if vr == "AT":
        return [part.upper().replace(",", "").strip("() ") for part in ours] == theirs
    if keyword == "DerivationDescription":  # what was done to the pixels follows
        return found == cell or found.startswith(f"{cell}; ")
    if keyword in _HISTORY:
        return theirs[: len(ours)] == ours
    return ours == theirs


def _parts(text: str, vr: str) -> list[str]:
    parts = [text] if vr in _SINGLE else text.split("\\")
    return [part.rstrip(" ") if vr in _SPACES_IN_FRONT else part.strip(" ") for part in parts]


def _equal(a: str, b: str, vr: str) -> bool:
    if a == b or not (a and b):
        return a == b
    try:
        return (struct.pack("<f", float(a)) == struct.pack("<f", float(b))) if vr == "FL" else float(a) == float(b)
    except (ValueError, OverflowError):
        return False


def _name(text: str) -> list[str]:
    """Return the groups of a name, each without the carets at its end, which say nothing (PS3.5 6.2.1)."""
    groups = [group.rstrip("^ ") for group in text.split("=")]
    while groups and not groups[-1]:
        groups.pop()
    return groups


def _code(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("^"))


def _codes(element: Any) -> list[tuple[str, ...]]:
    if element is None or element.VR != "SQ":
        return []
    return [
        (
            str(item.get("CodeValue") or item.get("LongCodeValue") or ""),
            str(item.get("CodingSchemeDesignator") or ""),
            str(item.get("CodeMeaning") or ""),
        )
        for item in element.value
    ]
