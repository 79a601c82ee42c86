"""Every element of the dataset: its text in its character set, and the rules of its VR and its attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.charset import python_encoding
from pydicom.dataelem import RawDataElement

from bulkdcm.attributes import dictionary, values
from bulkdcm.attributes.vr import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality")
_OF_CHARACTER_SET = {"SH", "LO", "ST", "LT", "PN", "UC", "UT"}  # PS3.5 6.1.2.3
_TEXTS = _OF_CHARACTER_SET | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}
_SHOWN = 60


def check_values(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each element by itself: (where, rule)."""
    # First, since whatever else asks for an element makes pydicom convert its bytes.
    yield from list(_check(dataset, "", _character_set(dataset, "ascii")))
    for keyword in _IDENTITY:
        if not dataset.get(keyword):
            yield keyword, "every image must have it (PS3.3 C.12.1, C.7.2.1, C.7.3.1)"


def _character_set(dataset: Dataset, inherited: str) -> str:
    """Return the codec of a dataset's texts; empty where it is no Defined Term or changes within a text (ISO 2022)."""
    terms = dataset.get("SpecificCharacterSet", None)
    if terms is None:
        return inherited
    if not isinstance(terms, str):
        return ""
    return str(python_encoding.get(terms, ""))


def _check(dataset: Dataset, path: str, codec: str) -> Iterator[tuple[str, str]]:
    if "SpecificCharacterSet" in dataset and not codec and isinstance(dataset.SpecificCharacterSet, str):
        yield f"{path}SpecificCharacterSet", f"{dataset.SpecificCharacterSet!r} is no Defined Term (PS3.3 C.12.1.1.2)"
    for tag in dataset.keys():  # noqa: SIM118  # iterating would convert the values, whose bytes are wanted
        raw = dataset.get_item(tag)
        if tag.is_private:
            yield from _check_private(dataset, tag, path)
            continue
        entry = dictionary.find_tag(int(tag))
        if entry is None or raw is None:
            continue
        where = f"{path}{entry.keyword}"
        if raw.VR == "SQ" or entry.vr == "SQ":
            for number, item in enumerate(dataset[tag].value or (), start=1):
                yield from _check(item, f"{where}[{number}].", _character_set(item, codec))
        elif isinstance(raw, RawDataElement) and entry.vr in _TEXTS and raw.value:
            yield from _check_text(where, entry, raw.value, codec if entry.vr in _OF_CHARACTER_SET else "ascii")


def _check_private(dataset: Dataset, tag: object, path: str) -> Iterator[tuple[str, str]]:
    group, element = tag.group, tag.element  # type: ignore[attr-defined]  # pydicom's tags have no types
    if element >= 0x1000 and (group, element >> 8) not in dataset:
        yield f"{path}({group:04X},{element:04X})", "a private element needs its Private Creator (PS3.5 7.8.1)"


def _check_text(where: str, entry: dictionary.Entry, value: bytes, codec: str) -> Iterator[tuple[str, str]]:
    if len(value) % 2:
        yield where, f"{len(value)} bytes; every value has an even length (PS3.5 7.1.1)"
    if not codec:
        return
    try:
        text = value.decode(codec)
    except UnicodeDecodeError as error:
        yield where, f"byte {error.start} is no text in the dataset's character set (PS3.5 6.1.2)"
        return
    text = text.rstrip("\0" if entry.vr == "UI" else " ")
    if text and (rule := values.broken_rule(entry.keyword, text)):
        yield where, f"{text[:_SHOWN]!r}: {rule}"
    if entry.vr in RULES and entry.vr != "UI" and value.endswith(b"\0"):
        yield where, "padded with a zero byte, which is for UIDs; texts are padded with a space (PS3.5 6.2)"
