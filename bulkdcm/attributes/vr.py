"""The rules of each Value Representation (PS3.5 6.2), one checker a VR, for one value at a time.

A checker returns an empty string where the value is right, else the rule it breaks. They are stricter than
pydicom's, which lets 30 February, ranges, ``nan``, a dotless UID and control characters through.
"""

from __future__ import annotations

import calendar
import math
import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_DS = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_FORBIDDEN_IN_LINES = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FORBIDDEN_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")  # LF, FF, CR and TAB may stand in ST, LT, UT
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_MAX_UUID = 2**128 - 1
_PN_COMPONENTS, _PN_GROUPS, _PN_CHARS = 5, 3, 64


def _date(text: str, section: str = "DA") -> str:
    if not re.fullmatch(r"[0-9]{8}", text):
        return f"{section} is a date as YYYYMMDD (PS3.5 6.2)"
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    if not (year and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        return "no such day in the calendar (PS3.5 6.2, DA)"
    return ""


def _time(text: str) -> str:
    match = re.fullmatch(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.[0-9]{1,6})?)?)?", text)
    if not match:
        return "TM is a time as HHMMSS.FFFFFF, from the right as much as is known (PS3.5 6.2)"
    hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second
        return "no such time of day (PS3.5 6.2, TM)"
    return ""


def _datetime(text: str) -> str:
    match = re.fullmatch(r"([0-9]{4,8})([0-9]{2,6}(?:\.[0-9]{1,6})?)?([+-][0-9]{4})?", text)
    if not match or len(match[1]) % 2 or (match[2] and len(match[1]) < 8):
        return "DT is YYYYMMDDHHMMSS.FFFFFF&ZZXX, from the right as much as is known (PS3.5 6.2)"
    if rule := _date((match[1] + "0101")[:8] if len(match[1]) < 8 else match[1]):
        return rule.replace("DA", "DT")
    if match[2] and (rule := _time(match[2])):
        return rule.replace("TM", "DT")
    return _offset(match[3]) if match[3] else ""


def _offset(text: str) -> str:
    if int(text[3:]) > 59:
        return "the offset from UTC has no such minutes (PS3.5 6.2, DT)"
    if text == "-0000" or not -1200 <= int(text) <= 1400:
        return "the offset from UTC is outside -1200 to +1400, or -0000 (PS3.5 6.2, DT)"
    return ""


def _age(text: str) -> str:
    return (
        "" if re.fullmatch(r"[0-9]{3}[DWMY]", text) else "AS is three digits and D, W, M or Y, such as 045Y (PS3.5 6.2)"
    )


def _code_string(text: str) -> str:
    if len(text) > 16:
        return f"CS has at most 16 characters, these are {len(text)} (PS3.5 6.2)"
    return "" if re.fullmatch(r"[A-Z0-9_ ]+", text) else "CS takes A-Z, 0-9, space and _ only (PS3.5 6.2)"


def _decimal(text: str) -> str:
    if len(text) > 16:
        return f"DS has at most 16 characters, these are {len(text)} (PS3.5 6.2)"
    if not text.isascii() or not _DS.fullmatch(text):
        return "DS is a decimal number with a point, such as 0.143 or 1e-3 (PS3.5 6.2)"
    return "" if math.isfinite(float(text)) else "the number is too large for a double (PS3.5 6.2, DS)"


def _integer_string(text: str) -> str:
    if len(text) > 12:
        return f"IS has at most 12 characters, these are {len(text)} (PS3.5 6.2)"
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return "IS is a whole number (PS3.5 6.2)"
    return "" if -(2**31) <= int(text) < 2**31 else "IS is between -2^31 and 2^31-1 (PS3.5 6.2)"


def _integer(text: str, *, low: int, high: int, name: str) -> str:
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return f"{name} is a whole number (PS3.5 6.2)"
    return "" if low <= int(text) <= high else f"{name} lies between {low} and {high} (PS3.5 6.2)"


def _real(text: str, *, high: float, name: str) -> str:
    if not text.isascii() or not _DS.fullmatch(text):
        return f"{name} is a decimal number with a point (PS3.5 6.2)"
    return "" if abs(float(text)) <= high else f"the number is too large for {name} (PS3.5 6.2)"


def _line(text: str, *, chars: int, name: str) -> str:
    if len(text) > chars:
        return f"{name} has at most {chars} characters, these are {len(text)} (PS3.5 6.2)"
    if found := _FORBIDDEN_IN_LINES.search(text):
        return f"{name} can't hold the control character {found[0]!r} (PS3.5 6.1.3)"
    return ""


def _text(text: str, *, chars: int, name: str) -> str:
    if len(text) > chars:
        return f"{name} has at most {chars} characters, these are {len(text)} (PS3.5 6.2)"
    if found := _FORBIDDEN_IN_TEXT.search(text):
        return f"{name} can't hold the control character {found[0]!r} (PS3.5 6.1.3)"
    return ""


def _person_name(text: str) -> str:
    groups = text.split("=")
    if len(groups) > _PN_GROUPS:
        return f"PN has at most 3 groups divided by =, these are {len(groups)} (PS3.5 6.2.1)"
    for group in groups:
        if group.count("^") >= _PN_COMPONENTS:
            return f"PN has at most 5 components divided by ^, these are {group.count('^') + 1} (PS3.5 6.2.1)"
        if len(group) > _PN_CHARS:
            return f"a PN group has at most 64 characters, these are {len(group)} (PS3.5 6.2)"
    return _line(text, chars=_PN_GROUPS * (_PN_CHARS + 1), name="PN")


def _uid(text: str) -> str:
    if len(text) > 64:
        return f"UI has at most 64 characters, these are {len(text)} (PS3.5 9.1)"
    if not text.isascii() or not _UID.fullmatch(text):
        return "UI is numbers divided by dots, none with a leading zero, at least two (PS3.5 9.1)"
    arcs = [int(part) for part in text.split(".")]
    if arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        return "no UID starts so: the first number is 0, 1 or 2, and below 2 the second is at most 39 (PS3.5 9.1)"
    if arcs[:2] == [2, 25] and (len(arcs) != 3 or arcs[2] > _MAX_UUID):
        return "a UID under 2.25 is that and one UUID of 128 bits as a number (PS3.5 B.2)"
    return ""


def _application_entity(text: str) -> str:
    if len(text) > 16:
        return f"AE has at most 16 characters, these are {len(text)} (PS3.5 6.2)"
    return "" if re.fullmatch(r"[\x20-\x7e]+", text) else "AE takes plain ASCII characters only (PS3.5 6.2)"


def _uri(text: str) -> str:
    return "" if re.fullmatch(r"[\x21-\x7e]+", text) else "UR is a URI: plain ASCII without spaces (PS3.5 6.2)"


def _tag(text: str) -> str:
    return "" if re.fullmatch(r"[0-9A-Fa-f]{8}", text) else "AT is a tag as eight hexadecimal digits (PS3.5 6.2)"


def _bytes(text: str) -> str:
    return (
        "" if re.fullmatch(r"([0-9A-Fa-f]{2})+", text) else "binary values are written as pairs of hexadecimal digits"
    )


class Rule(NamedTuple):
    """How values of a VR are written in a cell and checked."""

    check: Callable[[str], str]
    multi: bool = True
    """Whether a backslash divides values; where not, a backslash is text (PS3.5 6.2)."""
    spaces: str = "both"
    """Which spaces around a value say nothing: both, or only the trailing ones."""


def _whole(name: str, bits: int, *, signed: bool) -> Rule:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return Rule(partial(_integer, low=low, high=high, name=name))


RULES: dict[str, Rule] = {
    "AE": Rule(_application_entity),
    "AS": Rule(_age),
    "AT": Rule(_tag),
    "CS": Rule(_code_string),
    "DA": Rule(_date),
    "DS": Rule(_decimal),
    "DT": Rule(_datetime),
    "FD": Rule(partial(_real, high=1.7976931348623157e308, name="FD")),
    "FL": Rule(partial(_real, high=3.4028234663852886e38, name="FL")),
    "IS": Rule(_integer_string),
    "LO": Rule(partial(_line, chars=64, name="LO")),
    "LT": Rule(partial(_text, chars=10240, name="LT"), multi=False, spaces="trailing"),
    "PN": Rule(_person_name),
    "SH": Rule(partial(_line, chars=16, name="SH")),
    "SL": _whole("SL", 32, signed=True),
    "SS": _whole("SS", 16, signed=True),
    "ST": Rule(partial(_text, chars=1024, name="ST"), multi=False, spaces="trailing"),
    "SV": _whole("SV", 64, signed=True),
    "TM": Rule(_time),
    "UC": Rule(partial(_line, chars=2**31, name="UC"), spaces="trailing"),
    "UI": Rule(_uid),
    "UL": _whole("UL", 32, signed=False),
    "UR": Rule(_uri, multi=False, spaces="trailing"),
    "US": _whole("US", 16, signed=False),
    "UT": Rule(partial(_text, chars=2**31, name="UT"), multi=False, spaces="trailing"),
    "UV": _whole("UV", 64, signed=False),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), Rule(_bytes, multi=False)),
}
