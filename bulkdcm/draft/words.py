"""Words of datasets' cells, in several languages: sexes and the units of ages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bulkdcm.draft.headers import letters, plain
from bulkdcm.manifest.readings import tidy
from bulkdcm.manifest.sexes import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# Letters of Latin script mean what they do in the language of the header.
_SEXES = {plain(word): sex for word, sex in WORDS.items() if len(word) > 1 or not word.isascii() or word in "mfo"}
_YES, _NO = ("true", "1", "yes", "1.0"), ("false", "0", "no", "0.0")
_HEADER_UNITS = (
    *((word, "M") for word in ("month", "mos", "monat", "mois", "meses", "月龄", "月齡")),
    *((word, "W") for word in ("week", "woche", "semaine", "semana", "周龄", "周齡")),
    *((word, "D") for word in ("day", "tagen", "jours", "dias", "日龄", "日齡")),
    ("hour", "H"),
)
# Those that the reader of ages doesn't know by itself.
_UNITS = {
    **dict.fromkeys(("jahr", "jahre", "ans", "an", "annees", "ano", "anos", "anni"), "Y"),
    **dict.fromkeys(("monat", "monate", "mois", "mes", "meses", "mesi"), "M"),
    **dict.fromkeys(("woche", "wochen", "semaine", "semaines", "semana", "semanas", "settimane"), "W"),
    **dict.fromkeys(("tag", "tage", "jour", "jours", "dia", "dias", "giorni"), "D"),
}
_ENGLISH = {
    "y",
    "yr",
    "yrs",
    "year",
    "years",
    "mo",
    "mos",
    "month",
    "months",
    "w",
    "week",
    "weeks",
    "d",
    "day",
    "days",
    "m",
}
# Written behind the number, in letters that its pattern hasn't.
_SUFFIXES = {
    **dict.fromkeys(("岁", "歲", "歳", "才"), "Y"),
    **dict.fromkeys(("个月", "個月", "ヶ月", "か月", "カ月"), "M"),
    **dict.fromkeys(("周", "週", "週間"), "W"),
    "天": "D",
}
_OF_AGE = re.compile(r"\d+(?:[.,]\d+)? ?([^\W\d_]+)\.?")


def sex_of(header: str, cells: Collection[str]) -> dict[str, str]:
    """Return what the words among the cells of a column of sexes mean; those that may mean two things are left out.

    Parameters
    ----------
    header
        The column's name: M is a man in some languages, a woman in others.
    cells
        All of them, by which the others are understood.
    """
    name, words = letters(header), {cell: plain(tidy(cell)) for cell in cells if tidy(cell)}
    known, there = dict(_SEXES), set(words.values())
    if name.endswith("male"):
        yes, no = ("F", "M") if name.endswith("female") else ("M", "F")
        known.update({**dict.fromkeys(_YES, yes), **dict.fromkeys(_NO, no)})
    if "geschlecht" in name:
        known.update(w="F", d="O")
    elif "sexo" in name or "genero" in name:  # hombre, homem; varon; mujer, mulher, masculino
        known.update(h="M", v="M")
        others = {known.get(word) for word in there - {"m"}} & {"M", "F"}
        known["m"] = "F" if others == {"M"} else "M" if others == {"F"} else "?"
    elif "sexe" in name:
        known.update(h="M", m="?" if "h" in there else "M")
    elif {"h", "hombre", "homme", "mujer"} & there:
        known["m"] = "?"  # M is mujer beside H, hombre
    return {cell: known[word] for cell, word in words.items() if known.get(word, "?") != "?"}


def unit_of(header: str) -> str:
    """Return the unit of ages that a column's name says; years if it says none."""
    name = letters(header)
    return next((unit for word, unit in _HEADER_UNITS if word in name), "Y")


def units_in(cells: Iterable[str]) -> dict[str, str]:
    """Return what the words in cells of ages mean, as far as the reader of ages has to be told."""
    found = {match[1].lower() for cell in cells if (match := _OF_AGE.fullmatch(tidy(cell)))}
    return {word: _UNITS[plain(word)] for word in sorted(found) if plain(word) in _UNITS}


def suffix_of(cells: Iterable[str]) -> tuple[str, str]:
    """Return the one unit that stands behind all ages of a column, and what it is; nothing if it isn't one."""
    found = {match[1] if (match := _OF_AGE.fullmatch(tidy(cell))) else "" for cell in cells if tidy(cell)}
    word = found.pop() if len(found) == 1 else ""
    return (word, _SUFFIXES[word]) if word in _SUFFIXES else ("", "")


def is_sex(cell: str) -> bool:
    """Return whether a cell is a word for a sex, or says that it isn't known."""
    return plain(tidy(cell)) in _SEXES


def is_age(cell: str) -> bool:
    """Return whether a cell is a number with a unit of ages."""
    match = _OF_AGE.fullmatch(cell)
    return bool(match and (plain(match[1]) in _UNITS or match[1] in _SUFFIXES or plain(match[1]) in _ENGLISH))
