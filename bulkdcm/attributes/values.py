"""A manifest cell to the values of an element, and every rule it must keep on the way."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from bulkdcm.attributes import dictionary, terms
from bulkdcm.attributes.vr import RULES
from bulkdcm.errors import AttributeValueError

if TYPE_CHECKING:
    from bulkdcm.attributes.dictionary import Entry

CODE_FORM = "value^scheme^meaning"
_WORD_BYTES = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


def vr_of(entry: Entry) -> str:
    """Return the VR that cells of `entry` are read as; of the ambiguous ones the unsigned, US before SS and OW before OB."""
    if " or " not in entry.vr:
        return entry.vr
    choices = entry.vr.split(" or ")
    return next(vr for vr in ("US", "OW", "UL", *choices) if vr in choices)


def split(entry: Entry, text: str) -> list[str]:
    """Return the values of a cell, without the spaces that say nothing."""
    rule = RULES.get(vr_of(entry))
    if rule is None:  # SQ
        return [part.strip(" ") for part in text.split("\\")]
    parts = text.split("\\") if rule.multi else [text]
    return [part.strip(" ") if rule.spaces == "both" else part.rstrip(" ") for part in parts]


@lru_cache(maxsize=65536)
def broken_rule(keyword: str, text: str) -> str:
    """Return the first rule of the Standard that the cell breaks, or an empty string.

    Parameters
    ----------
    keyword
        Of an attribute in the data dictionary.
    text
        The cell, not empty.
    """
    entry = dictionary.find(keyword)
    if entry is None:
        return "no attribute of that keyword (PS3.6)"
    values = split(entry, text)
    if entry.vr != "SQ" and not entry.takes(len(values)):  # a sequence's VM is 1, of any number of items
        return f"{keyword} takes {entry.vm} value{'' if entry.vm == '1' else 's'}, a backslash divides them: these are {len(values)} (PS3.6)"
    check = _code if entry.vr == "SQ" else RULES[vr_of(entry)].check
    for value in values:
        if value and (rule := check(value)):
            return rule
    return terms.broken_rule(keyword, values)


def _code(text: str) -> str:
    parts = text.split("^")
    if len(parts) != 3 or not all(part.strip() for part in parts):
        return f"a code is written {CODE_FORM} (PS3.3 8.8)"
    rules = (
        RULES["SH"].check(parts[0]) and RULES["UC"].check(parts[0]),
        RULES["SH"].check(parts[1]),
        RULES["LO"].check(parts[2]),
    )
    return next((rule for rule in rules if rule), "")


def element(keyword: str, text: str) -> DataElement:
    """Return the element for a cell.

    Parameters
    ----------
    keyword
        Of an attribute in the data dictionary.
    text
        The cell; an empty one gives a zero-length element.

    Raises
    ------
    AttributeValueError
        If the cell breaks a rule of the Standard.
    """
    found = _plain_element(keyword, text)
    return _sequence(keyword, text) if found is None else found


@lru_cache(maxsize=65536)
def _plain_element(keyword: str, text: str) -> DataElement | None:
    """Return the element; None for a sequence, which knows its dataset and so can't be shared between several."""
    entry = dictionary.find(keyword)
    if entry is None or (text and (rule := broken_rule(keyword, text))):
        msg = f"{keyword} {text[:80]!r}: {rule if entry else 'no attribute of that keyword (PS3.6)'}."
        raise AttributeValueError(msg)
    if entry.vr == "SQ":
        return None
    vr = vr_of(entry)
    values = [_typed(vr, value) for value in split(entry, text)] if text else []
    # Validation is done above, and better; pydicom's would only warn.
    return DataElement(entry.tag, vr, values[0] if len(values) == 1 else values or None, validation_mode=0)


def _sequence(keyword: str, text: str) -> DataElement:
    entry = dictionary.find(keyword)
    assert entry is not None  # noqa: S101  # `_plain_element` has refused it else
    items = [_code_item(value) for value in split(entry, text) if value]
    return DataElement(entry.tag, "SQ", Sequence(items))


def _typed(vr: str, value: str) -> Any:
    if vr in {"US", "SS", "UL", "SL", "SV", "UV"}:
        return int(value)
    if vr in {"FL", "FD"}:
        return float(value)
    if vr == "AT":
        return int(value, 16)
    if vr in {"OB", "UN", *_WORD_BYTES}:
        return _words(bytes.fromhex(value), _WORD_BYTES.get(vr, 2))
    return value


def _words(data: bytes, size: int) -> bytes:
    return data + b"\0" * (-len(data) % size)


def _code_item(text: str) -> Dataset:
    value, scheme, meaning = (part.strip() for part in text.split("^"))
    item = Dataset()
    # More than 16 characters go to Long Code Value (PS3.3 table 8.8-1a).
    item.add(element("CodeValue" if len(value) <= 16 else "LongCodeValue", value))
    item.add(element("CodingSchemeDesignator", scheme))
    item.add(element("CodeMeaning", meaning))
    return item


def person_name(text: str) -> str:
    """Return `text` with the caret that a one-component name needs to be more than the retired form (PS3.5 6.2.1)."""
    if not text or "^" in text:
        return text
    groups = text.split("=")
    first = next((index for index, group in enumerate(groups) if group.strip()), None)
    if first is None:
        return text
    groups[first] = groups[first].rstrip(" ") + "^"
    return "=".join(groups)
